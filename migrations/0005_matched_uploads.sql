CREATE TABLE "matched_uploads" (
	"audience_id" bigint PRIMARY KEY NOT NULL,
	"file_name" text NOT NULL,
	"columns" text NOT NULL,
	"column_settings" text,
	"metadata" text NOT NULL,
	"file_total_count" integer NOT NULL,
	"is_single_column" boolean NOT NULL,
	"user_name" text NOT NULL,
	"user_number" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audiences" ADD COLUMN "approval" text;--> statement-breakpoint
ALTER TABLE "audiences" ADD COLUMN "approved_by" jsonb;--> statement-breakpoint
ALTER TABLE "matched_uploads" ADD CONSTRAINT "matched_uploads_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE cascade ON UPDATE no action;