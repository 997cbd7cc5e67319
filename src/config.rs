//! The settings of a server, with safe defaults.

use std::{path::PathBuf, time::Duration};

use crate::{
    access::{PublicUrl, SignInProvider, TokenText, TrustedProxies, WebOrigin, jwt::JwtSettings},
    input::InputLimits,
    limits::{DatabaseLimits, ServerLimits},
    store::DEFAULT_LEASE,
};

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rows and bytes that one import may have.
    pub limits: InputLimits,
    /// What clients may use of the server.
    pub server: ServerLimits,
    /// Time limits of the database.
    pub database: DatabaseLimits,
    /// When an import deactivates too many users to be plausible.
    pub mass_deactivation: MassDeactivation,
    /// When an import replaces too many people to be plausible.
    pub mass_identity_change: MassIdentityChange,
    /// Most rows that one transaction writes, except for groups that must stay together. Transactions begin small and
    /// grow to 20,000 while they stay quick, on SQLite to a tenth of the users.
    pub transaction_rows: usize,
    /// When an import is planned on the users that its rows can concern, and not on all.
    pub partial_snapshots: PartialSnapshots,
    /// How long after its end the record of an applied import is kept, once its results are gone; `None`: for ever.
    pub history: Option<Duration>,
    /// How long audit events that are recorded as archived are kept; `None`: for ever. All other events are kept for
    /// ever.
    pub audit: Option<Duration>,
    /// How long after `finish` the server waits for the client to half-close its stream.
    pub half_close_grace: Duration,
    /// How long a transaction is tried again while the database is away.
    pub database_patience: Duration,
    /// How long an organisation stays locked after the last heartbeat of the import that locks it.
    pub lease: Duration,
    /// How long after an import's end its results are kept; its record and counts stay.
    pub result_retention: Duration,
    /// How long after an import's end the values that it changed are kept, so that it can be undone.
    pub undo_retention: Duration,
    /// How long an import that a guard refused is held for review.
    pub held: Duration,
    /// How many imports of one organisation are held at a time; more are refused.
    pub max_held: u32,
    /// Another principal than the sender must approve a held import.
    pub four_eyes: bool,
    /// How long an attempt that never began applying is kept.
    pub attempt_retention: Duration,
    /// How many such attempts of one organisation are kept. Refused ones are removed first.
    pub attempts_kept: u32,
    /// Time between two removals of old results.
    pub cleaning_interval: Duration,
    /// How long a graceful shutdown waits for clients.
    pub shutdown_grace: Duration,
    /// Time between two progress messages.
    pub progress_interval: Duration,
    /// TLS, and the credentials that are valid besides tokens.
    pub security: SecuritySettings,
}

/// TLS, and the credentials that are valid besides tokens.
#[derive(Clone, Debug)]
pub struct SecuritySettings {
    /// Certificate and key; `None`: plain text.
    pub tls: Option<TlsFiles>,
    /// The allow-list of client certificates.
    pub identities: Option<PathBuf>,
    /// The identity provider.
    pub jwt: Option<JwtSettings>,
    /// The local token of this server, valid until a credential is configured. `None` if no caller is
    /// admitted until then.
    pub local_token: Option<TokenText>,
    /// Origins of web pages that may call, besides the console.
    pub web_origins: Vec<WebOrigin>,
    /// Addresses under which browsers on other machines reach the console.
    pub public_urls: Vec<PublicUrl>,
    /// Where people sign in to the console; `None`: with a token alone.
    pub sign_in: Option<Box<SignInProvider>>,
    /// Proxies that are believed when they say where a call or a connection comes from.
    pub trusted_proxies: TrustedProxies,
    /// Time between two checks of the files that these name, and of the credentials of streams.
    pub reload_interval: Duration,
    /// Time limit of a TLS handshake, and of a proxy's header before it.
    pub handshake_timeout: Duration,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        Self {
            tls: None,
            identities: None,
            jwt: None,
            local_token: None,
            web_origins: Vec::new(),
            public_urls: Vec::new(),
            sign_in: None,
            trusted_proxies: TrustedProxies::default(),
            reload_interval: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// The files of a server that speaks TLS, all PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, then the chain up to a known authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of client certificates.
    pub client_ca: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: InputLimits::default(),
            server: ServerLimits::default(),
            database: DatabaseLimits::default(),
            mass_deactivation: MassDeactivation::default(),
            mass_identity_change: MassIdentityChange::default(),
            transaction_rows: 100_000,
            partial_snapshots: PartialSnapshots::default(),
            half_close_grace: Duration::from_secs(2),
            database_patience: Duration::from_secs(20),
            lease: DEFAULT_LEASE,
            history: None,
            audit: None,
            result_retention: Duration::from_hours(90 * 24),
            undo_retention: Duration::from_hours(30 * 24),
            held: Duration::from_hours(7 * 24),
            max_held: 20,
            four_eyes: false,
            attempt_retention: Duration::from_hours(30 * 24),
            attempts_kept: 1_000,
            cleaning_interval: Duration::from_hours(1),
            shutdown_grace: Duration::from_secs(5),
            progress_interval: Duration::from_secs(1),
            security: SecuritySettings::default(),
        }
    }
}

/// When an import is planned on the users that its rows can concern (semantics §14). The plan is the same either way.
/// The numbers were measured: within them the plan takes less time. No option sets them; tests do.
#[derive(Clone, Copy, Debug)]
pub struct PartialSnapshots {
    /// Most rows of such an import.
    pub rows: u32,
    /// The organisation must have this many users for each row but the first. Reading that many users takes as long as
    /// looking up the users that one row can concern.
    pub users_per_row: u32,
}

impl Default for PartialSnapshots {
    fn default() -> Self {
        Self {
            rows: 1_000,
            users_per_row: 100,
        }
    }
}

/// The mass-deactivation guard (semantics §7): an import is refused if it would deactivate more than `percent` of the
/// active users and more than `users` of them, or more than half of them.
#[derive(Clone, Copy, Debug)]
pub struct MassDeactivation {
    /// Per cent of the organisation's active users.
    pub percent: u32,
    /// Number of users.
    pub users: u32,
    /// Per cent of the organisation's active users, whatever their number.
    pub percent_always: u32,
}

impl Default for MassDeactivation {
    fn default() -> Self {
        Self {
            percent: 5,
            users: 10,
            percent_always: 50,
        }
    }
}

/// The guard against a mass change of identity (semantics §7): an import is refused if more than
/// `percent` of the rows that match a user, and more than `rows` of them, put another person in the
/// user's place, or more than `percent_always` of at least `least_rows`.
#[derive(Clone, Copy, Debug)]
pub struct MassIdentityChange {
    /// Per cent of the rows that match a user.
    pub percent: u32,
    /// Number of rows.
    pub rows: u32,
    /// Per cent of the rows that match a user, if these are at least `least_rows`.
    pub percent_always: u32,
    /// `percent_always` counts if at least this many rows match a user.
    pub least_rows: u32,
}

impl Default for MassIdentityChange {
    fn default() -> Self {
        Self {
            percent: 5,
            rows: 10,
            percent_always: 50,
            least_rows: 4,
        }
    }
}
