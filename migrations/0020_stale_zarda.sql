CREATE TABLE "erasure_receipts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"erasure_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"audience_id" bigint NOT NULL,
	"output_name" text NOT NULL,
	"plugin" text NOT NULL,
	"version" integer NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"reason" jsonb,
	"delivery_id" uuid,
	"delivered_at" timestamp (3) with time zone,
	"sent" integer,
	"accepted" integer,
	"rejected" integer,
	"unsupported" integer,
	"not_sent" integer,
	"waived_by" text,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "erasure_receipts_connection" UNIQUE("erasure_id","connection_id")
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"step" text DEFAULT 'find' NOT NULL,
	"given" integer NOT NULL,
	"rejected_by_reason" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"profiles" integer,
	"audiences" integer DEFAULT 0 NOT NULL,
	"revision" integer,
	"failures" integer DEFAULT 0 NOT NULL,
	"error" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "audience_versions" ADD COLUMN "erasure_id" uuid;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "suppressions_revision" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "erasure_receipts" ADD CONSTRAINT "erasure_receipts_erasure_id_erasures_id_fk" FOREIGN KEY ("erasure_id") REFERENCES "public"."erasures"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "erasures_workspace" ON "erasures" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "erasures_state" ON "erasures" USING btree ("state","created_at");