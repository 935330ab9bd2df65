-- What a partner sends about a referral that we have. Its body is a payload of the same id.

CREATE TABLE reply (
  reply_id    TEXT PRIMARY KEY,
  referral_id TEXT NOT NULL REFERENCES referral(referral_id),
  partner_id  TEXT NOT NULL,
  kind        TEXT NOT NULL,         -- communication, task-change …
  content_mac BLOB NOT NULL,         -- the same key with another content is refused
  received_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX reply_referral ON reply(referral_id, reply_id);

-- By what a reply is known again: keyed digests, never the values.
CREATE TABLE reply_key (
  partner_id TEXT NOT NULL,
  scope      INTEGER NOT NULL,
  key_mac    BLOB NOT NULL,
  reply_id   TEXT NOT NULL REFERENCES reply(reply_id),
  PRIMARY KEY (partner_id, scope, key_mac)
) STRICT, WITHOUT ROWID;

-- Which reply is to be taken to the clinic; NULL: it is about the referral itself, or an update.
ALTER TABLE delivery ADD COLUMN reply_id TEXT;
ALTER TABLE delivery ADD COLUMN reply_kind TEXT;

-- Where a referral stands by the update that was delivered, in our words: what a guide calls the next state may depend
-- on what the partner was told before.
ALTER TABLE delivery ADD COLUMN told TEXT;
