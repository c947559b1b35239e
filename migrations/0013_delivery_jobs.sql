CREATE TABLE "delivery_jobs" (
	"delivery_id" uuid NOT NULL,
	"batch_id" text NOT NULL,
	"job_id" text NOT NULL,
	"members" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"answered_at" timestamp (3) with time zone,
	CONSTRAINT "delivery_jobs_delivery_id_batch_id_pk" PRIMARY KEY("delivery_id","batch_id")
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "outcomes_forgotten_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "delivery_jobs" ADD CONSTRAINT "delivery_jobs_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_balance" CHECK (state <> 'delivered' or (planned is not null and planned = accepted + rejected + skipped));