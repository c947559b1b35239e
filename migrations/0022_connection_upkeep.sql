CREATE TABLE "connection_upkeep" (
	"connection_id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"reconciled_at" timestamp (3) with time zone,
	"reconciliation" jsonb,
	"backfills_wanted" integer DEFAULT 0 NOT NULL,
	"backfills_done" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "sends_again" jsonb;--> statement-breakpoint
ALTER TABLE "connection_upkeep" ADD CONSTRAINT "connection_upkeep_connection_id_connections_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connection_upkeep" ADD CONSTRAINT "connection_upkeep_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "connection_upkeep_workspace" ON "connection_upkeep" USING btree ("workspace_id");