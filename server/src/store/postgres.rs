//! PostgreSQL: a pool of connections, each of which serves one transaction at a time.
//!
//! The driver is asynchronous, the rules above it are not: each call waits on its own thread, while the sockets
//! are served by a runtime of the store's own. So it works from any thread, whatever runs there.
//!
//! What a transaction does without needing an answer is sent at once and waited for with the next query, in one
//! round trip.

use super::driver::{Conflict, Driver, Lookup, Session, Take};
use super::tables::{Kind, Table};
use super::value::{Columns, Row, Value, ValueRef};
use super::{MIGRATIONS, newer};
use crate::Error;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use pollster::block_on;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio_postgres::Statement;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections kept at most: PostgreSQL serves few quick ones better than many.
const CONNECTIONS: usize = 16;

/// How long a request waits for a connection, to be made or to be given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What each connection asks PostgreSQL for. How long a statement waits for another transaction's lock before the
/// request is told to come back later; and how long a transaction keeps its locks while nothing is heard of its
/// server, whose machine may be gone.
const OPTIONS: &str = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s";

/// How long a statement may take: longer than it waits for a lock. A COMMIT has no other limit while the standby that
/// it has to reach is lost, and a machine that is gone says nothing.
const ANSWER: Duration = Duration::from_secs(15);

/// What keeps two processes from making the schema at the same time: any number, as long as nobody else takes it.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(4849211)";

/// A PostgreSQL database, by its connection string.
pub(super) struct Postgres {
    pool: Pool,
    /// `None` only while it is dropped.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Waiting for its thread would panic where the last user is itself asynchronous.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The connection string holds a password.
        f.debug_struct("Postgres").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self, Error> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|error| Error::Unusable(format!("database address: {error}")))?;
        let options = config.get_options().unwrap_or_default();
        config.options(format!("{OPTIONS} {options}"));
        // Of several hosts, the one that takes writes: after a failover that is another one.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            // A host that is gone must leave time to try the others.
            let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
            config.connect_timeout(PATIENCE.div_f64(hosts as f64 + 1.0));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| Error::Unusable(format!("no thread for the database: {error}")))?;
        let manager = Manager::from_config(
            config.clone(),
            tls(config.get_ssl_mode())?,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| Error::Unusable(format!("database pool: {error}")))?;
        Ok(Self { pool, runtime: Some(runtime) })
    }

    /// Runs what waits for sockets or time, on the runtime that serves them.
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let _runtime = self.runtime.as_ref().map(tokio::runtime::Runtime::enter);
        block_on(work)
    }

    fn connection(&self) -> Result<Object, Error> {
        Ok(self.wait(self.pool.get())?)
    }

    fn session(&self, waits: bool) -> Result<Open<'_>, Error> {
        let client = Some(Arc::new(self.connection()?));
        let (sent, has_failed, is_spent) = (RefCell::default(), Cell::new(false), Cell::new(false));
        Ok(Open { postgres: self, client, sent, has_failed, is_spent, waits })
    }

    fn begin(&self, statement: &'static str, waits: bool) -> Result<Box<dyn Session + '_>, Error> {
        let session = self.session(waits)?;
        session.send_plain(statement)?;
        Ok(Box::new(session))
    }

    /// The schema's version; `None` in an empty database.
    fn version(client: &Object) -> Result<Option<usize>, Error> {
        let sql = "SELECT to_regclass('schema_version') IS NOT NULL";
        if !block_on(client.query_one(sql, &[]))?.get::<_, bool>(0) {
            return Ok(None);
        }
        let version: i64 = block_on(client.query_one("SELECT version FROM schema_version", &[]))?.get(0);
        usize::try_from(version).map(Some).map_err(|_| Error::Corrupt(format!("schema version {version}")))
    }

    /// Makes sure that this version can work with what is there.
    pub(super) fn check(&self) -> Result<(), Error> {
        let client = self.connection()?;
        match Self::version(&client)? {
            Some(version) if version == MIGRATIONS.len() => {}
            Some(version) if version > MIGRATIONS.len() => return Err(newer(version)),
            Some(version) => {
                let newest = MIGRATIONS.len();
                return Err(Error::Unusable(format!(
                    "the database has schema version {version}, older than {newest}: run carboy-server migrate"
                )));
            }
            None => {
                let text = "the database holds no schema yet: run carboy-server migrate";
                return Err(Error::Unusable(text.to_owned()));
            }
        }
        // An answer must not be given before it is durable, here and on a synchronous standby.
        let commit: String = block_on(client.query_one("SHOW synchronous_commit", &[]))?.get(0);
        if matches!(commit.as_str(), "off" | "local") {
            return Err(Error::Unusable(format!(
                "the database has synchronous_commit = {commit}: a crash would lose what was acknowledged"
            )));
        }
        Ok(())
    }
}

/// TLS as the connection string asks for it, against the certificates that the system trusts.
fn tls(mode: SslMode) -> Result<MakeRustlsConnect, Error> {
    let mut roots = rustls::RootCertStore::empty();
    // Without TLS nobody's certificate is needed, and a small machine may have none.
    if mode != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Unusable(format!("tls: {error}")))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}

impl Driver for Postgres {
    fn migrate(&self) -> Result<(), Error> {
        let session = self.session(true)?;
        // However long it takes.
        let run = |sql: &str| block_on(session.batch(sql));
        run("BEGIN")?;
        run(MIGRATION_LOCK)?;
        let version = Self::version(session.client())?;
        if let Some(version) = version.filter(|&version| version > MIGRATIONS.len()) {
            return Err(newer(version));
        }
        if version.is_none() {
            run(
                "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (0)",
            )?;
        }
        for script in &MIGRATIONS[version.unwrap_or(0)..] {
            run(&translated(script))?;
        }
        run(&format!("UPDATE schema_version SET version = {}", MIGRATIONS.len()))?;
        Box::new(session).commit()
    }

    fn write(&self) -> Result<Box<dyn Session + '_>, Error> {
        self.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", true)
    }

    fn read(&self) -> Result<Box<dyn Session + '_>, Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", false)
    }

    fn pool(&self) -> Option<(usize, usize)> {
        let status = self.pool.status();
        Some((status.size, status.available))
    }
}

/// The schema as PostgreSQL spells it. Texts are compared byte by byte, as SQLite does.
fn translated(script: &str) -> String {
    [
        (" BLOB", " BYTEA"),
        (" INTEGER", " BIGINT"),
        (" TEXT", " TEXT COLLATE \"C\""),
        (") STRICT, WITHOUT ROWID;", ");"),
        (") STRICT;", ");"),
    ]
    .iter()
    .fold(script.to_owned(), |script, (from, to)| script.replace(from, to))
}

/// What was sent, until it is answered.
type Sent = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>>>>;

/// An open transaction on a connection of its own.
struct Open<'d> {
    postgres: &'d Postgres,
    /// `None` only while it is dropped.
    client: Option<Arc<Object>>,
    /// In the order in which it was sent.
    sent: RefCell<Vec<Sent>>,
    /// PostgreSQL answers a COMMIT behind a failed statement with a quiet rollback.
    has_failed: Cell<bool>,
    /// Whether an answer is outstanding: then nobody else can use the connection.
    is_spent: Cell<bool>,
    /// Whether its end is waited for: nobody needs to know that a transaction which only read has ended.
    waits: bool,
}

impl Open<'_> {
    fn client(&self) -> &Arc<Object> {
        self.client.as_ref().unwrap_or_else(|| unreachable!("a connection is given back only when dropped"))
    }

    async fn batch(&self, sql: &str) -> Result<(), Error> {
        Ok(self.client().batch_execute(sql).await?)
    }

    async fn prepared(&self, sql: &str) -> Result<Statement, Error> {
        Ok(self.client().prepare_cached(&spelled(sql)).await?)
    }

    async fn rows(&self, sql: &str, params: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, Error> {
        let statement = self.prepared(sql).await?;
        Ok(self.client().query(&statement, &references(params)).await?)
    }

    async fn run(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        let statement = self.prepared(sql).await?;
        Ok(self.client().execute(&statement, &references(params)).await?)
    }

    /// Puts what `future` sends on its way, behind all that was sent before.
    fn push(&self, mut future: Sent) -> Result<(), Error> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => self.noted(result.map_err(Error::from)),
            Poll::Pending => {
                self.sent.borrow_mut().push(future);
                Ok(())
            }
        }
    }

    /// Sends a statement without parameters.
    fn send_plain(&self, sql: &'static str) -> Result<(), Error> {
        let client = self.client().clone();
        self.push(Box::pin(async move { client.batch_execute(sql).await }))
    }

    /// The answers to all that was sent, so that none is left to come; the first error of them.
    async fn answers(&self) -> Result<(), Error> {
        let mut answers = Ok(());
        for sent in self.sent.take() {
            let answer = sent.await;
            if answers.is_ok() {
                answers = answer;
            }
        }
        Ok(answers?)
    }

    /// The answer to what is sent last, unless something before it has failed: that is then the reason.
    async fn answer<T>(&self, last: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let result = last.await;
        self.answers().await?;
        result
    }

    /// Waits for an answer that may never come. PostgreSQL is not asked to cancel what it does: a COMMIT that waits for
    /// a standby would then be answered as if it had reached it.
    fn within<T>(&self, limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let result = self.postgres.wait(async { tokio::time::timeout(limit, answer).await });
        self.noted(result.unwrap_or_else(|_| {
            self.is_spent.set(true);
            Err(Error::NoAnswer)
        }))
    }

    fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.has_failed.set(true);
            if error.is_outdated_plan() {
                self.postgres.pool.manager().statement_caches.clear();
            }
            if self.is_spent.get() || self.client().is_closed() {
                // What ended or silenced this connection may have done so to the idle ones.
                self.postgres.pool.retain(|_, _| false);
            }
        }
        result
    }

    fn rolled_back(&self) -> Result<(), Error> {
        if self.is_spent.get() {
            return Err(Error::NoAnswer);
        }
        self.within(PATIENCE, self.batch("ROLLBACK"))
    }
}

impl Session for Open<'_> {
    fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        let changed = self.within(ANSWER, self.answer(self.run(sql, params)))?;
        if sql.starts_with("ROLLBACK TO") {
            self.has_failed.set(false);
        }
        Ok(changed)
    }

    fn send(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Error> {
        let statement = self.within(ANSWER, async {
            // It is mostly known already. If it is not and cannot be made, what came before may be the reason.
            match self.prepared(sql).await {
                Err(error) => self.answers().await.and(Err(error)),
                prepared => prepared,
            }
        })?;
        let params = self.noted(encoded(&statement, params))?;
        let client = self.client().clone();
        self.push(Box::pin(async move {
            let params: Vec<_> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            client.execute(&statement, &params).await.map(drop)
        }))
    }

    fn wait(&self) -> Result<(), Error> {
        self.within(ANSWER, self.answers())
    }

    fn query(&self, sql: &str, params: &[Value<'_>], take: &mut Take<'_>) -> Result<(), Error> {
        let rows = self.within(ANSWER, self.answer(self.rows(sql, params)))?;
        rows.iter().try_for_each(|row| take(&Row(row)))
    }

    fn insert(&self, table: &Table, conflict: Conflict, rows: &[Vec<Value<'_>>]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let arrays = (1..).zip(table.columns).map(|(n, (_, kind))| match kind {
            Kind::Int => format!("?{n}::BIGINT[]"),
            Kind::Text => format!("?{n}::TEXT[]"),
            Kind::Blob => format!("?{n}::BYTEA[]"),
        });
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let (name, columns, clause) = (table.name, table.names(), conflict.clause(table));
        let sql = format!("INSERT INTO {name} ({columns}) SELECT * FROM unnest({arrays}){clause}");
        let columns: Vec<Vec<_>> =
            (0..table.columns.len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        let params: Vec<_> = columns.iter().map(|column| Value::List(column)).collect();
        self.send(&sql, &params)
    }

    fn spell(&self, lookup: &Lookup) -> String {
        // One descent of the primary key's index for each key, whatever the planner takes the table for: a plan made
        // while it was empty would otherwise go on reading all of the plant's rows. OFFSET keeps it from being undone.
        let Lookup { columns, table, key, .. } = lookup;
        format!(
            "SELECT found.* FROM (SELECT DISTINCT unnest(?{}::bytea[]) AS key) wanted
             CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE {} AND {key} = wanted.key OFFSET 0) found",
            lookup.list(),
            lookup.condition()
        )
    }

    fn loaded(&self, table: &Table) -> Result<(), Error> {
        // Else it takes the table for an empty one, and reads all of it for each row that refers to it.
        self.send(&format!("ANALYZE {}", table.name), &[])
    }

    fn is_open(&self) -> bool {
        !self.is_spent.get() && !self.client().is_closed()
    }

    fn commit(mut self: Box<Self>) -> Result<(), Error> {
        if self.waits {
            if self.has_failed.get() {
                let text = "a transaction with a failed statement was to be committed";
                return Err(Error::Corrupt(text.to_owned()));
            }
            self.within(ANSWER, self.answer(self.batch("COMMIT")))?;
        } else {
            self.send_plain("COMMIT")?;
        }
        self.sent.take();
        self.client = None;
        Ok(())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.sent.take();
        // A connection that stays alive is given back clean, any other one is closed.
        if self.client.is_some()
            && let Err(error) = self.rolled_back()
        {
            tracing::warn!(%error, "a connection is given up");
            drop(self.client.take().and_then(Arc::into_inner).map(Object::take));
        }
    }
}

/// A statement as PostgreSQL spells it: parameters are `$1` instead of `?1`.
fn spelled(sql: &str) -> String {
    sql.replace('?', "$")
}

fn references<'v>(params: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The parameters of a statement, as they are sent.
fn encoded(statement: &Statement, params: &[Value<'_>]) -> Result<Vec<Encoded>, Error> {
    let encoded = statement.params().iter().zip(params).map(|(kind, value)| {
        let mut bytes = BytesMut::new();
        let is_null =
            value.to_sql(kind, &mut bytes).map_err(|refused| Error::Invalid(refused.to_string()))?;
        Ok(Encoded(matches!(is_null, IsNull::No).then_some(bytes)))
    });
    encoded.collect()
}

/// A parameter, as it is sent.
#[derive(Debug)]
struct Encoded(Option<BytesMut>);

impl ToSql for Encoded {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

type Refused = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        match *self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(int) if *kind == Type::BOOL => (int != 0).to_sql(kind, out),
            Value::Int(int) if *kind == Type::INT4 => i32::try_from(int)?.to_sql(kind, out),
            Value::Int(int) if *kind == Type::INT8 => int.to_sql(kind, out),
            Value::Text(text) if <&str as ToSql>::accepts(kind) => text.to_sql(kind, out),
            Value::Blob(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            Value::List(list) => list.to_sql(kind, out),
            Value::TooLarge(number) => Err(format!("{number} is more than a BIGINT holds").into()),
            value => Err(format!("{value:?} for a parameter of type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl Columns for tokio_postgres::Row {
    fn count(&self) -> usize {
        self.columns().len()
    }

    fn column(&self, index: usize) -> Result<ValueRef<'_>, Error> {
        let kind = self.columns().get(index).map(tokio_postgres::Column::type_);
        Ok(match kind {
            Some(&Type::BOOL) => {
                self.try_get::<_, Option<bool>>(index)?.map(|bool| ValueRef::Int(i64::from(bool)))
            }
            Some(&Type::INT4) => self.try_get::<_, Option<i32>>(index)?.map(|int| ValueRef::Int(int.into())),
            Some(&Type::INT8) => self.try_get::<_, Option<i64>>(index)?.map(ValueRef::Int),
            Some(&Type::TEXT) => self.try_get::<_, Option<&str>>(index)?.map(ValueRef::Text),
            Some(&Type::BYTEA) => self.try_get::<_, Option<&[u8]>>(index)?.map(ValueRef::Blob),
            kind => return Err(Error::Corrupt(format!("column {index} of type {kind:?}"))),
        }
        .unwrap_or(ValueRef::Null))
    }
}
