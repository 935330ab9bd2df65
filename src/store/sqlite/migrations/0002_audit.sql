-- The audit trail: appended to, never changed. Its protected part is sealed like a payload.

CREATE TABLE audit (
  number         INTEGER PRIMARY KEY,   -- from 1, without gaps
  audit_id       TEXT NOT NULL UNIQUE,
  kind           TEXT NOT NULL,
  at_ms          INTEGER NOT NULL,
  delivery_id    TEXT,                  -- no foreign key: the trail outlives the deliveries
  outcome        TEXT NOT NULL,
  rule           TEXT NOT NULL,
  sent_sha256    TEXT,
  content_sha256 BLOB NOT NULL,         -- of the sealed part, so that the trail holds without it
  wrapped_key    BLOB,                  -- NULL: taken away, which `audit verify` tells
  ciphertext     BLOB,
  link           BLOB NOT NULL          -- keyed digest over this row and the link before it
) STRICT;
CREATE INDEX audit_delivery ON audit(delivery_id, number) WHERE delivery_id IS NOT NULL;
CREATE INDEX audit_kind ON audit(kind, number);

-- On what a held update's last decision depended besides Consents: groups, roles, what travels along. When
-- another version of it is noticed, the update is decided again.
CREATE TABLE depends_on (
  reference   TEXT NOT NULL,            -- Group/5 at the clinic
  delivery_id TEXT NOT NULL REFERENCES delivery(delivery_id),
  version     TEXT NOT NULL,            -- the version that was read; empty: it could not be read
  PRIMARY KEY (reference, delivery_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX depends_on_delivery ON depends_on(delivery_id);
