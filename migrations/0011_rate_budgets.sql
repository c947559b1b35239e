CREATE TABLE "rate_budgets" (
	"key" text PRIMARY KEY NOT NULL,
	"state" jsonb NOT NULL,
	"asked_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
