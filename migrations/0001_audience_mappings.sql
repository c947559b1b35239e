CREATE TABLE "audience_mappings" (
	"audience_id" bigint NOT NULL,
	"version" integer NOT NULL,
	"mapping" jsonb NOT NULL,
	"import_id" uuid,
	"approved_by" text,
	"approved_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audience_mappings_audience_id_version_pk" PRIMARY KEY("audience_id","version")
);
--> statement-breakpoint
ALTER TABLE "audience_mappings" ADD CONSTRAINT "audience_mappings_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
INSERT INTO "audience_mappings" ("audience_id", "version", "mapping", "approved_at") SELECT "id", 1, "mapping", "updated_at" FROM "audiences" WHERE "mapping" IS NOT NULL;
