-- Times are milliseconds since 1970. Patient data is in `payload` and nowhere else, sealed.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE payload (
  payload_id  TEXT PRIMARY KEY,
  wrapped_key BLOB,                  -- NULL: destroyed
  ciphertext  BLOB,
  plain_bytes INTEGER NOT NULL,
  created_ms  INTEGER NOT NULL
) STRICT;

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

-- One lane is one ordered stream: an endpoint and a referral. Leases are held on lanes.
CREATE TABLE lane (
  lane_id        TEXT PRIMARY KEY,   -- @clinic/ref-… or lakeside/ref-…
  next_seq       INTEGER NOT NULL DEFAULT 1,
  lease_token    INTEGER NOT NULL DEFAULT 0,
  lease_until_ms INTEGER
) STRICT;
CREATE INDEX lane_lease ON lane(lease_until_ms) WHERE lease_until_ms IS NOT NULL;

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
CREATE INDEX delivery_due ON delivery(due_ms) WHERE state IN (0, 2, 3, 4);
CREATE INDEX delivery_lane ON delivery(lane_id, seq) WHERE state IN (0, 1, 2, 3);
CREATE INDEX delivery_in_flight ON delivery(endpoint) WHERE state = 1;
CREATE INDEX delivery_state ON delivery(state, delivery_id);
CREATE INDEX delivery_inbox ON delivery(partner_id, resource_type, delivery_id);
-- A clinic resource version is owed once, however often it is noticed.
CREATE UNIQUE INDEX delivery_source
  ON delivery(referral_id, resource_type, resource_id, resource_version) WHERE share IS NOT NULL;

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
