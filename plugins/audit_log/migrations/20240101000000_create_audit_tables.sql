-- up
CREATE TABLE plugin_audit_log_events (
  id TEXT PRIMARY KEY NOT NULL,
  delivery TEXT NOT NULL UNIQUE,
  happened_at TEXT NOT NULL,
  tenant_id TEXT,
  actor_type TEXT NOT NULL,
  actor_id TEXT,
  actor_name TEXT,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT,
  details TEXT NOT NULL,
  client_ip TEXT,
  request_id TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX plugin_audit_log_events_tenant ON plugin_audit_log_events (tenant_id, id);
CREATE INDEX plugin_audit_log_events_time ON plugin_audit_log_events (happened_at);
CREATE INDEX plugin_audit_log_events_tenant_time ON plugin_audit_log_events (tenant_id, happened_at DESC);
CREATE INDEX plugin_audit_log_events_actor ON plugin_audit_log_events (actor_id, id);
CREATE INDEX plugin_audit_log_events_action ON plugin_audit_log_events (action, id);
CREATE INDEX plugin_audit_log_events_resource ON plugin_audit_log_events (resource_type, resource_id, id);
CREATE TABLE plugin_audit_log_retention (
  id TEXT PRIMARY KEY NOT NULL,
  purged_at TEXT NOT NULL,
  removed INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
-- down
DROP TABLE plugin_audit_log_events;
DROP TABLE plugin_audit_log_retention;
