CREATE TABLE "upload_parts" (
	"upload_id" uuid NOT NULL,
	"offset_bytes" bigint NOT NULL,
	"size_bytes" bigint NOT NULL,
	"file_id" uuid NOT NULL,
	CONSTRAINT "upload_parts_upload_id_offset_bytes_pk" PRIMARY KEY("upload_id","offset_bytes")
);
--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "counted" jsonb;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "report" jsonb;--> statement-breakpoint
ALTER TABLE "upload_parts" ADD CONSTRAINT "upload_parts_upload_id_uploads_id_fk" FOREIGN KEY ("upload_id") REFERENCES "public"."uploads"("id") ON DELETE cascade ON UPDATE no action;