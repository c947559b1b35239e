CREATE TABLE "output_tokens" (
	"output_id" uuid PRIMARY KEY NOT NULL,
	"basis" text NOT NULL,
	"tokens" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "output_tokens" ADD CONSTRAINT "output_tokens_output_id_outputs_id_fk" FOREIGN KEY ("output_id") REFERENCES "public"."outputs"("id") ON DELETE cascade ON UPDATE no action;