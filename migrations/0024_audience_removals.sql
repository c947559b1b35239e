CREATE TABLE "audience_removals" (
	"audience_id" bigint PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"deleted_by" text NOT NULL,
	"deleted_at" timestamp (3) with time zone NOT NULL,
	"connections" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audience_removals" ADD CONSTRAINT "audience_removals_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audience_removals_workspace" ON "audience_removals" USING btree ("workspace_id");