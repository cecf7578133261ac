-- The embedded store: the tables of Pinot in one SQLite file, with the same names and columns (times in epoch
-- milliseconds UTC, distances in metres, geometries as WKT in degrees, lon before lat).
-- A new column comes last, with a default, and with a step in sqlite_file.MIGRATIONS, which says the version too.
-- WITHOUT ROWID keeps a race's rows together, in the order in which they are asked for.

PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;

CREATE TABLE IF NOT EXISTS races (
    runId       TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    course      TEXT    NOT NULL,
    startTime   INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    competitors INTEGER NOT NULL,
    speed       REAL    NOT NULL,
    seed        INTEGER NOT NULL,
    updatedAt   INTEGER NOT NULL,
    request     TEXT    NOT NULL,
    -- What a simulator needs to go on with the race: the gun's time, later by all pauses, and the race seconds
    -- up to which everything is delivered (-1: nothing).
    clockStart    INTEGER NOT NULL DEFAULT 0,
    deliveredUntil   REAL    NOT NULL DEFAULT -1
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS competitors (
    runId        TEXT    NOT NULL,
    competitorId INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    category     TEXT    NOT NULL,
    wave         INTEGER NOT NULL,
    club         TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (runId, competitorId)
) WITHOUT ROWID;

-- The newest position of each competitor.
CREATE TABLE IF NOT EXISTS parkrun (
    runId        TEXT    NOT NULL,
    eventId      TEXT    NOT NULL,
    competitorId INTEGER NOT NULL,
    rawTime      INTEGER NOT NULL,
    timestamp    INTEGER NOT NULL,
    lat          REAL    NOT NULL,
    lon          REAL    NOT NULL,
    distance     REAL    NOT NULL,
    course       TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    elapsed      REAL    NOT NULL,
    emittedAt    INTEGER NOT NULL,
    PRIMARY KEY (runId, competitorId)
) WITHOUT ROWID;

-- Every position: what Pinot answers with option(skipUpsert=true).
CREATE TABLE IF NOT EXISTS parkrun_history (
    runId        TEXT    NOT NULL,
    eventId      TEXT    NOT NULL,
    competitorId INTEGER NOT NULL,
    rawTime      INTEGER NOT NULL,
    timestamp    INTEGER NOT NULL,
    lat          REAL    NOT NULL,
    lon          REAL    NOT NULL,
    distance     REAL    NOT NULL,
    course       TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    elapsed      REAL    NOT NULL,
    emittedAt    INTEGER NOT NULL,
    PRIMARY KEY (runId, rawTime, competitorId)
) WITHOUT ROWID;

-- What has come lately, of whatever race.
CREATE INDEX IF NOT EXISTS parkrun_history_by_emission ON parkrun_history (emittedAt);

CREATE TABLE IF NOT EXISTS passings (
    runId        TEXT    NOT NULL,
    competitorId INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    point        TEXT    NOT NULL,
    lap          INTEGER NOT NULL,
    distance     REAL    NOT NULL,
    elapsed      REAL    NOT NULL,
    timestamp    INTEGER NOT NULL,
    PRIMARY KEY (runId, competitorId, kind, point, lap)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS courses (
    shortName        TEXT NOT NULL PRIMARY KEY,
    longName         TEXT NOT NULL,
    distance         REAL NOT NULL,
    courseMap        TEXT NOT NULL,
    geoFenceLocation TEXT NOT NULL,
    startLocation    TEXT NOT NULL,
    endLocation      TEXT NOT NULL,
    -- Each geofence with its name, as JSON: [{"name": …, "wkt": "POLYGON …"}, …].
    fences           TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
