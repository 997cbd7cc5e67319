//! A service that pushes one changed user after another over one connection.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};
use tonic::{Code, Request, Status, metadata::AsciiMetadataValue, transport::Channel};
use tonic_types::StatusExt;
use user_import::proto::{
    ImportStart, PushUsersRequest, UserRow, import_service_client::ImportServiceClient,
};

/// The number of rows of a roster that pushes change in turn.
const ROWS: usize = 64;

/// Pause before a push is sent again if the server's status names no pause.
const PAUSE: Duration = Duration::from_millis(100);

/// Rows of a roster. Each row gets a new phone number every time that it is pushed.
#[derive(Clone, Debug)]
pub struct PhoneChanges {
    rows: Vec<UserRow>,
    pushed: usize,
}

/// The measurements of one push.
#[derive(Clone, Copy, Debug)]
pub struct PushTime {
    /// Time from the first attempt to the answer.
    pub wait: Duration,
    /// The number of attempts that were turned away because another import was running.
    pub turned_away: u64,
}

/// A connection that pushes.
pub struct PushClient {
    client: ImportServiceClient<Channel>,
    authorization: AsciiMetadataValue,
    organization: String,
}

impl PhoneChanges {
    /// Reads the first rows of a roster.
    pub fn read(roster: &Path) -> anyhow::Result<Self> {
        let lines = BufReader::new(File::open(roster)?).lines().skip(1);
        let rows: Result<Vec<_>, _> = lines.take(ROWS).map(|line| line.map(|l| row(&l))).collect();
        let rows = rows?.into_iter().collect::<Option<Vec<_>>>();
        let rows = rows.context("a row of the roster is short")?;
        ensure!(!rows.is_empty(), "the roster has no rows");
        Ok(Self { rows, pushed: 0 })
    }

    /// Returns the rows that job number `number` of `jobs` may push, so that no two jobs change the same user.
    pub fn share(&self, number: usize, jobs: usize) -> Self {
        let rows = self.rows.iter().skip(number).step_by(jobs);
        Self {
            rows: rows.cloned().collect(),
            pushed: 0,
        }
    }

    /// Returns the next row to push.
    fn next(&mut self) -> UserRow {
        let round = self.pushed / self.rows.len();
        let mut row = self.rows[self.pushed % self.rows.len()].clone();
        // No roster has these phone numbers, so that every push changes its user.
        row.phone = Some(format!("+1202555{:04}", 1 + round % 9_999));
        self.pushed += 1;
        row
    }
}

/// Parses a line of the roster. Its values have no quotes.
fn row(line: &str) -> Option<UserRow> {
    let mut values = line.split(',').map(|value| Some(value.to_owned()));
    let mut next = || values.next().flatten();
    let row = UserRow {
        external_id: next(),
        email: next(),
        badge_number: next(),
        first_name: next(),
        last_name: next(),
        status: next(),
        username: next(),
        role: next(),
        supervisor_email: next(),
        location: next(),
        rank: next(),
        evidence_group_external_id: next(),
        phone: next(),
    };
    row.phone.is_some().then_some(row)
}

impl PushClient {
    /// Opens a connection of its own.
    pub async fn connect(endpoint: &str, token: &str, organization: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: ImportServiceClient::connect(endpoint.to_owned()).await?,
            authorization: format!("Bearer {token}").parse()?,
            organization: organization.to_owned(),
        })
    }

    /// Pushes the next row. Sends the push again, after the pause that the server names, as long as another import runs.
    pub async fn push(&mut self, changes: &mut PhoneChanges) -> anyhow::Result<PushTime> {
        let row = changes.next();
        let began = Instant::now();
        let mut turned_away = 0;
        while let Some(pause) = self.try_push(&row).await? {
            turned_away += 1;
            sleep(pause).await;
        }
        Ok(PushTime {
            wait: began.elapsed(),
            turned_away,
        })
    }

    /// Pushes once. Returns the pause before the next attempt if the push was turned away, or else `None`.
    async fn try_push(&mut self, row: &UserRow) -> anyhow::Result<Option<Duration>> {
        let mut request = Request::new(PushUsersRequest {
            start: Some(ImportStart {
                organization: self.organization.clone(),
                ..ImportStart::default()
            }),
            rows: vec![row.clone()],
        });
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        let answer = match self.client.push_users(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::Aborted => return Ok(Some(pause(&status))),
            Err(status) => return Err(status.into()),
        };
        let summary = answer.summary.unwrap_or_default();
        ensure!(
            summary.updated == 1,
            "a push did not change its user: {answer:?}",
            answer = answer.results
        );
        Ok(None)
    }
}

fn pause(status: &Status) -> Duration {
    let retry = status.get_details_retry_info();
    retry.and_then(|retry| retry.retry_delay).unwrap_or(PAUSE)
}
