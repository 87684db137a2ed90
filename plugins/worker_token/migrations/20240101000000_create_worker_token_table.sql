-- up
CREATE TABLE plugin_worker_token_tokens (
  id TEXT PRIMARY KEY NOT NULL,
  tenant_id TEXT NOT NULL CHECK (length(tenant_id) > 0),
  token_prefix TEXT NOT NULL UNIQUE CHECK (length(token_prefix) <= 20),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  display_name TEXT NOT NULL CHECK (length(display_name) <= 255),
  description TEXT,
  created_by TEXT,
  last_used_at TEXT,
  expires_at TEXT,
  revoked_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX plugin_worker_token_tokens_tenant ON plugin_worker_token_tokens (tenant_id, id);
CREATE INDEX plugin_worker_token_tokens_active ON plugin_worker_token_tokens (token_prefix) WHERE revoked_at IS NULL;
-- down
DROP TABLE plugin_worker_token_tokens;
