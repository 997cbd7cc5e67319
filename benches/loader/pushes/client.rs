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

/// Rows of a roster that pushes change in turn.
const ROWS: usize = 64;

/// Pause before a push is sent again if the server says nothing of it.
const PAUSE: Duration = Duration::from_millis(100);

/// Rows of a roster, each with a phone number that differs from the last time it was taken.
#[derive(Clone, Debug)]
pub struct PhoneChanges {
    rows: Vec<UserRow>,
    taken: usize,
}

/// What one push took.
#[derive(Clone, Copy, Debug)]
pub struct PushTime {
    /// From the first attempt to the answer.
    pub wait: Duration,
    /// How often it was turned away because another import was running.
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
        Ok(Self { rows, taken: 0 })
    }

    /// Those that job number `number` of `jobs` may take, so that no two jobs change one user.
    pub fn share(&self, number: usize, jobs: usize) -> Self {
        let rows = self.rows.iter().skip(number).step_by(jobs);
        Self {
            rows: rows.cloned().collect(),
            taken: 0,
        }
    }

    /// The next changed row.
    fn next(&mut self) -> UserRow {
        let round = self.taken / self.rows.len();
        let mut row = self.rows[self.taken % self.rows.len()].clone();
        // No roster has these numbers.
        row.phone = Some(format!("+1202555{:04}", 1 + round % 9_999));
        self.taken += 1;
        row
    }
}

/// A line of the roster, whose values need no quotes.
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

    /// Pushes the next change, and sends it again as the server says while another import runs.
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

    /// Pushes once. Returns how long to wait if it was turned away.
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
