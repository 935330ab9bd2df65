-- What is known of a delivery between its attempts, besides where it stands.

-- Where its server tells what became of it (202), sealed under a key of the ledger's own.
ALTER TABLE delivery ADD COLUMN told_at BLOB;
-- How often in a row its server answered 500 to it, and since when.
ALTER TABLE delivery ADD COLUMN server_errors INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN server_errors_since_ms INTEGER;
