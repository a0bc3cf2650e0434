BEGIN TRANSACTION;
CREATE TABLE acts (
	id INTEGER NOT NULL, 
	delivery_id TEXT NOT NULL, 
	who TEXT NOT NULL, 
	old TEXT NOT NULL, 
	new TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "acts" VALUES(1,'e-cancelled','Pat','queued','cancelled','called by hand',1767805200000000);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE attempts (
	delivery_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	phase TEXT NOT NULL, 
	status INTEGER, 
	reason TEXT NOT NULL, 
	duration_ms INTEGER NOT NULL, 
	PRIMARY KEY (delivery_id, number)
);
INSERT INTO "attempts" VALUES('a-click',1,1767805200000000,'answered',204,'',41);
CREATE TABLE blocked (
	number TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	who TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "blocked" VALUES('5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e','5e5e5e5e','asked us to stop','Pat',1767805200000000);
CREATE TABLE deliveries (
	id TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	mapping TEXT NOT NULL, 
	version TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	action TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	deliver TEXT NOT NULL, 
	if_unknown TEXT NOT NULL, 
	terms TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	due_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	priority INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	tries INTEGER NOT NULL, 
	lease_owner TEXT, 
	lease_until BIGINT, policy TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "deliveries" VALUES('a-click','of a-click','lead','v1','dial','default','["click_to_dial",{"agent":"0101","number_to_dial":"8015550142"}]','key of a-click','accepted','','now','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767805200000000,4102444800000000,0,1,1,NULL,NULL,'');
INSERT INTO "deliveries" VALUES('b-held','of b-held','lead','v1','dial','default','["callback",{"skill":"Sales","callback_number":"8015550143"}]','key of b-held','held','outside the calling hours (hours)','queued','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767859200000000,4102444800000000,1,0,0,NULL,NULL,'');
INSERT INTO "deliveries" VALUES('c-queued','of c-queued','lead','v1','dial','default','["callback",{"skill":"Sales","callback_number":"8015550144"}]','key of c-queued','queued','','queued','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767805200000000,4102444800000000,1,0,0,NULL,NULL,'');
INSERT INTO "deliveries" VALUES('d-unknown','of d-unknown','lead','v1','dial','default','["callback",{"skill":"Sales","callback_number":"8015550145"}]','key of d-unknown','unknown','the answer never came','queued','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767805200000000,4102444800000000,1,1,1,NULL,NULL,'');
INSERT INTO "deliveries" VALUES('e-cancelled','of e-cancelled','lead','v1','dial','default','["callback",{"skill":"Sales","callback_number":"8015550146"}]','key of e-cancelled','cancelled','called by hand','queued','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767805200000000,4102444800000000,1,0,0,NULL,NULL,'');
INSERT INTO "deliveries" VALUES('f-under-way','of f-under-way','lead','v1','dial','default','["callback",{"skill":"Sales","callback_number":"8015550147"}]','key of f-under-way','sending','','queued','ask','{"fresh_for":600.0}',1767805200000000,1767805200000000,1767805200000000,4102444800000000,1,1,0,'dispatch-1',1767805215000000,'');
CREATE TABLE gates (
	tenant TEXT NOT NULL, 
	paused TEXT NOT NULL, 
	trouble TEXT NOT NULL, 
	failures INTEGER NOT NULL, 
	since BIGINT, 
	probe_at BIGINT, 
	tokens FLOAT NOT NULL, 
	tokens_at BIGINT, 
	PRIMARY KEY (tenant)
);
INSERT INTO "gates" VALUES('acme','by Pat: new phones','',0,NULL,NULL,0.0,NULL);
CREATE TABLE mapping_versions (
	mapping TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	version TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	file TEXT NOT NULL, 
	content TEXT NOT NULL, 
	beside TEXT NOT NULL, 
	PRIMARY KEY (mapping, number)
);
INSERT INTO "mapping_versions" VALUES('lead',1,'v1',1767805200000000,'mappings/lead.yaml','format: 1
name: lead
','{"agents.csv":"who,extension\nann,0101\n"}');
CREATE TABLE marks (
	mark TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (mark)
);
INSERT INTO "marks" VALUES('line default 0101','a-click',1767805200000000,0);
CREATE TABLE once (
	mapping TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	until BIGINT NOT NULL, 
	PRIMARY KEY (mapping, "key")
);
INSERT INTO "once" VALUES('lead','key of a-click','a-click',4102444800000000);
INSERT INTO "once" VALUES('lead','key of b-held','b-held',4102444800000000);
INSERT INTO "once" VALUES('lead','key of c-queued','c-queued',4102444800000000);
INSERT INTO "once" VALUES('lead','key of d-unknown','d-unknown',4102444800000000);
INSERT INTO "once" VALUES('lead','key of e-cancelled','e-cancelled',4102444800000000);
INSERT INTO "once" VALUES('lead','key of f-under-way','f-under-way',4102444800000000);
CREATE TABLE refusals (
	mapping TEXT NOT NULL, 
	code TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	day TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	last_at BIGINT NOT NULL, 
	PRIMARY KEY (mapping, code, reason, day)
);
INSERT INTO "refusals" VALUES('lead','unauthorized','no signature','2026-01-07',1,1767805200000000);
CREATE TABLE requests (
	id TEXT NOT NULL, 
	mapping TEXT NOT NULL, 
	version TEXT NOT NULL, 
	received_at BIGINT NOT NULL, 
	method TEXT NOT NULL, 
	url TEXT NOT NULL, 
	headers TEXT NOT NULL, 
	body BLOB NOT NULL, 
	results TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "requests" VALUES('of a-click','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B2270686F6E65223A202238303135353530313432227D','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"a-click","duplicate":false}]');
INSERT INTO "requests" VALUES('of b-held','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B226E616D65223A2022C3A9227DFF','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"b-held","duplicate":false}]');
INSERT INTO "requests" VALUES('of c-queued','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B2270686F6E65223A202238303135353530313432227D','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"c-queued","duplicate":false}]');
INSERT INTO "requests" VALUES('of d-unknown','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B2270686F6E65223A202238303135353530313432227D','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"d-unknown","duplicate":false}]');
INSERT INTO "requests" VALUES('of e-cancelled','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B2270686F6E65223A202238303135353530313432227D','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"e-cancelled","duplicate":false}]');
INSERT INTO "requests" VALUES('of f-under-way','lead','v1',1767805200000000,'POST','/hooks/lead?a=1','{"content-type":"application/json"}',X'7B2270686F6E65223A202238303135353530313432227D','[{"record":0,"kind":"action","rule":"dial","reason":"","delivery":"f-under-way","duplicate":false}]');
CREATE TABLE seen (
	mapping TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	first_at BIGINT NOT NULL, 
	until BIGINT NOT NULL, 
	PRIMARY KEY (mapping, fingerprint)
);
INSERT INTO "seen" VALUES('lead','f1',1767805200000000,1783357200000000);
CREATE TABLE shadow_counts (
	mapping TEXT NOT NULL, 
	shadow TEXT NOT NULL, 
	version TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	first_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	examples TEXT NOT NULL, 
	PRIMARY KEY (mapping, shadow, version, kind)
);
INSERT INTO "shadow_counts" VALUES('lead','s1','v1','same',1,1767805200000000,1767805200000000,'[]');
CREATE INDEX requests_received ON requests (received_at);
CREATE INDEX requests_mapping ON requests (mapping, received_at);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_lease ON deliveries (state, lease_until);
CREATE INDEX deliveries_updated ON deliveries (updated_at);
CREATE INDEX deliveries_request ON deliveries (request_id);
CREATE INDEX once_until ON once (until);
CREATE INDEX once_delivery ON once (delivery_id);
CREATE INDEX attempts_at ON attempts (at);
CREATE INDEX acts_delivery ON acts (delivery_id);
CREATE INDEX acts_at ON acts (at);
CREATE INDEX refusals_last ON refusals (last_at);
CREATE INDEX seen_until ON seen (until);
CREATE INDEX mapping_versions_since ON mapping_versions (since);
CREATE INDEX shadow_counts_last ON shadow_counts (last_at);
CREATE INDEX deliveries_turn ON deliveries (state, tenant, priority, due_at);
CREATE INDEX deliveries_overdue ON deliveries (state, tenant, expires_at);
CREATE INDEX marks_at ON marks (at);
COMMIT;
