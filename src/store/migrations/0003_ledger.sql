-- For SQLite as it stands. PostgreSQL takes the same with BIGINT and BYTEA and without STRICT and WITHOUT ROWID.
-- Times are milliseconds since 1970. Patient data is in `payload` and in the trail's protected parts, sealed.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE payload (
  payload_id  TEXT PRIMARY KEY,
  key_id      TEXT NOT NULL,         -- which key of the gateway wrapped the payload's own key
  wrapped_key BLOB,                  -- NULL: purged
  ciphertext  BLOB,
  plain_bytes INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX payload_kept ON payload(created_ms) WHERE wrapped_key IS NOT NULL;
CREATE INDEX payload_key ON payload(key_id) WHERE wrapped_key IS NOT NULL;

CREATE TABLE referral (
  referral_id  TEXT PRIMARY KEY,
  partner_id   TEXT NOT NULL,
  payload_id   TEXT NOT NULL REFERENCES payload(payload_id),
  content_mac  BLOB NOT NULL,        -- the same key with another content is refused
  received_ms  INTEGER NOT NULL,
  updated_ms   INTEGER NOT NULL,
  clinic_at_ms INTEGER,              -- the clinic's time of our write, where it told one
  at_clinic    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX referral_clinic_at ON referral(clinic_at_ms);
CREATE INDEX referral_partner ON referral(partner_id, referral_id);

-- By what a submission is known again: keyed digests, never the values.
CREATE TABLE submission_key (
  partner_id  TEXT NOT NULL,
  scope       INTEGER NOT NULL,
  key_mac     BLOB NOT NULL,
  referral_id TEXT NOT NULL REFERENCES referral(referral_id),
  PRIMARY KEY (partner_id, scope, key_mac)
) STRICT, WITHOUT ROWID;

-- What a partner may search its referrals by: keyed digests too.
CREATE TABLE referral_identifier (
  partner_id     TEXT NOT NULL,
  identifier_mac BLOB NOT NULL,
  referral_id    TEXT NOT NULL REFERENCES referral(referral_id),
  PRIMARY KEY (partner_id, identifier_mac, referral_id)
) STRICT, WITHOUT ROWID;

-- What our write made at the clinic.
CREATE TABLE clinic_resource (
  referral_id TEXT NOT NULL REFERENCES referral(referral_id),
  position    INTEGER NOT NULL,
  entry       INTEGER,               -- place in the submission; NULL: added by us
  reference   TEXT NOT NULL,
  version     TEXT NOT NULL,         -- the version that we made; empty where we found it there
  PRIMARY KEY (referral_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX clinic_resource_reference ON clinic_resource(reference);

-- Which clinic resources make an update belong to a referral.
CREATE TABLE clinic_link (
  reference   TEXT NOT NULL,
  referral_id TEXT NOT NULL REFERENCES referral(referral_id),
  PRIMARY KEY (reference, referral_id)
) STRICT, WITHOUT ROWID;

-- A server that we owe something: the clinic's or a partner's.
CREATE TABLE endpoint (
  endpoint TEXT PRIMARY KEY,         -- @clinic or a partner's id
  state    TEXT NOT NULL             -- JSON: breaker, rate, pause; empty: as new
) STRICT;

-- One lane is one ordered stream: an endpoint and a referral. Leases are held on lanes, and a lane is due when
-- the next of its deliveries is.
CREATE TABLE lane (
  lane_id        TEXT PRIMARY KEY,   -- @clinic/ref-… or lakeside/ref-…
  endpoint       TEXT NOT NULL,
  next_seq       INTEGER NOT NULL DEFAULT 1,
  due_ms         INTEGER,            -- never later than what is due; NULL: nothing waits
  tried          INTEGER NOT NULL DEFAULT 0, -- what is due next was tried before
  lease_token    INTEGER NOT NULL DEFAULT 0,
  lease_until_ms INTEGER,
  lease_owner    TEXT
) STRICT;
CREATE INDEX lane_due ON lane(endpoint, tried, due_ms) WHERE lease_until_ms IS NULL AND due_ms IS NOT NULL;
CREATE INDEX lane_leased ON lane(endpoint, lease_until_ms) WHERE lease_until_ms IS NOT NULL;

CREATE TABLE delivery (
  delivery_id      TEXT PRIMARY KEY,
  lane_id          TEXT NOT NULL REFERENCES lane(lane_id),
  seq              INTEGER NOT NULL,
  endpoint         TEXT NOT NULL,    -- @clinic or a partner's id
  referral_id      TEXT NOT NULL REFERENCES referral(referral_id),
  partner_id       TEXT NOT NULL,
  share            TEXT,             -- NULL: forward the referral to the clinic
  resource_type    TEXT,
  resource_id      TEXT,
  resource_version TEXT,
  state            INTEGER NOT NULL DEFAULT 0,
  attempts         INTEGER NOT NULL DEFAULT 0,
  effect_unknown   INTEGER NOT NULL DEFAULT 0,
  created_ms       INTEGER NOT NULL,
  since_ms         INTEGER NOT NULL, -- from here on the deadline counts
  due_ms           INTEGER NOT NULL,
  done_ms          INTEGER,
  reason           TEXT,
  remote_reference TEXT,
  remote_etag      TEXT,
  sent_sha256      TEXT,
  UNIQUE (lane_id, seq)
) STRICT;
CREATE INDEX delivery_waiting ON delivery(lane_id, seq) WHERE state IN (0, 1, 2, 3, 4);
CREATE INDEX delivery_state ON delivery(state, delivery_id);
CREATE INDEX delivery_inbox ON delivery(partner_id, resource_type, delivery_id);
-- A clinic resource version is owed once, however often it is noticed. What is forwarded has no version and is
-- in it too: whatever is asked by referral must not walk all that was ever delivered.
CREATE UNIQUE INDEX delivery_source ON delivery(referral_id, resource_type, resource_id, resource_version);

CREATE TABLE attempt (
  delivery_id TEXT NOT NULL REFERENCES delivery(delivery_id),
  number      INTEGER NOT NULL,
  started_ms  INTEGER NOT NULL,
  ended_ms    INTEGER,               -- NULL: cut off; it may have taken effect
  outcome     TEXT,
  http_status INTEGER,
  decision    TEXT,
  consents    TEXT,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_ended ON attempt(ended_ms);

-- What happened, for people: appended to, in the transaction of what happened.
CREATE TABLE event (
  event_id    TEXT PRIMARY KEY,
  at_ms       INTEGER NOT NULL,
  what        TEXT NOT NULL,         -- accepted, forwarded, replayed, paused, purged …
  actor       TEXT NOT NULL,         -- a partner's id, an operator's name, or gateway
  referral_id TEXT,
  delivery_id TEXT,
  detail      TEXT NOT NULL          -- codes and counts of ours
) STRICT;
CREATE INDEX event_referral ON event(referral_id, event_id) WHERE referral_id IS NOT NULL;

-- What one gateway of several does for all, for a while.
CREATE TABLE turn (
  name     TEXT PRIMARY KEY,
  owner    TEXT NOT NULL,
  until_ms INTEGER NOT NULL
) STRICT;

-- Deliveries that are sent again by an operator's order, some at a time.
CREATE TABLE replay (
  replay_id      TEXT PRIMARY KEY,
  asked_ms       INTEGER NOT NULL,
  asked_by       TEXT NOT NULL,
  why            TEXT NOT NULL,
  filter         TEXT NOT NULL,      -- JSON
  per_minute     INTEGER NOT NULL,
  state          TEXT NOT NULL,      -- running, done or stopped
  up_to          TEXT NOT NULL,      -- the last delivery that was looked at
  next_ms        INTEGER NOT NULL,
  replayed       INTEGER NOT NULL DEFAULT 0,
  passed_over    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE feed_cursor (
  source        TEXT PRIMARY KEY,
  read_up_to_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE spent_assertion (
  client_id  TEXT NOT NULL,
  jti        TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (client_id, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_assertion_expires ON spent_assertion(expires_ms);

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
  key_id         TEXT NOT NULL,
  wrapped_key    BLOB,                  -- NULL: taken away, which `audit verify` tells unless it was purged
  ciphertext     BLOB,
  link           BLOB NOT NULL          -- keyed digest over this row and the link before it
) STRICT;
CREATE INDEX audit_delivery ON audit(delivery_id, number) WHERE delivery_id IS NOT NULL;
CREATE INDEX audit_kept ON audit(number) WHERE wrapped_key IS NOT NULL;
CREATE INDEX audit_key ON audit(key_id) WHERE wrapped_key IS NOT NULL;
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
