-- All statements of a snapshot see one moment, write nothing, and give up before the scraper does.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY
