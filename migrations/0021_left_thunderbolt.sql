ALTER TABLE "connections" DROP CONSTRAINT "connections_target";--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "list_made" boolean;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "removal" jsonb;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "removing_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "connections" ADD COLUMN "removed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "kind" text DEFAULT 'changes' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "connections_target" ON "connections" USING btree ("audience_id","output_id",coalesce("variant_id", '00000000-0000-0000-0000-000000000000')) WHERE status <> 'removed';--> statement-breakpoint
CREATE INDEX "connections_removing" ON "connections" USING btree ("workspace_id") WHERE status = 'removing';