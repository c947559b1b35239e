CREATE INDEX "deliveries_waiting" ON "deliveries" USING btree ("workspace_id","created_at") WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "deliveries_served" ON "deliveries" USING btree ("workspace_id","started_at");--> statement-breakpoint
CREATE INDEX "exports_waiting" ON "exports" USING btree ("workspace_id","created_at") WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "exports_served" ON "exports" USING btree ("workspace_id","started_at");--> statement-breakpoint
CREATE INDEX "imports_waiting" ON "imports" USING btree ("workspace_id","created_at") WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "imports_served" ON "imports" USING btree ("workspace_id","started_at");