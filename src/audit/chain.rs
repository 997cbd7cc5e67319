//! Verifies a chain event by event, from its first.

use std::fmt;

use super::{NO_HASH, hash};
use crate::proto::{AuditEvent, AuditHead};

/// A head that was noted earlier: the chain must still have that event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedHead {
    /// Sequence of the newest event at the time.
    pub sequence: i64,
    /// Its hash, 32 bytes.
    pub hash: Vec<u8>,
}

/// A chain of an organisation, verified up to one of its events.
#[derive(Clone, Debug)]
pub struct AuditChain {
    organization: String,
    sequence: i64,
    hash: Vec<u8>,
    noted: Option<NotedHead>,
    /// Whether the noted event was found.
    met: bool,
}

/// The place at which a chain is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// The next event there is, is not the next in sequence.
    #[error("event {expected} is missing: event {found} follows event {}", .expected - 1)]
    Missing {
        /// The sequence that should come.
        expected: i64,
        /// The one that came.
        found: i64,
    },
    /// The event does not name the hash of the one before: either of them was replaced.
    #[error("event {0} does not follow from the event before it: one of the two was replaced")]
    Unlinked(i64),
    /// The event's fields do not have its hash.
    #[error("event {0} was altered: its fields do not have its hash")]
    Altered(i64),
    /// The chain ends elsewhere than its head says.
    #[error(
        "the chain ends with event {last}, but its head names event {head}: events were removed or replaced at its end"
    )]
    CutOff {
        /// Sequence of the last event there is.
        last: i64,
        /// Sequence that the head names.
        head: i64,
    },
    /// The event that was noted is not there, or is another.
    #[error(
        "event {0} is not the one that was noted: the chain was made anew, or cut off before it"
    )]
    NotAsNoted(i64),
}

impl AuditChain {
    /// The chain of `organization`, before its first event.
    #[must_use]
    pub fn new(organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            sequence: 0,
            hash: NO_HASH.to_vec(),
            noted: None,
            met: false,
        }
    }

    /// The chain of `organization` after the event that was noted.
    #[must_use]
    pub fn after(organization: &str, noted: NotedHead) -> Self {
        Self {
            sequence: noted.sequence,
            hash: noted.hash,
            ..Self::new(organization)
        }
    }

    /// The newest event that was verified, as a head; sequence 0 if there is none.
    #[must_use]
    pub fn verified(&self) -> AuditHead {
        AuditHead {
            sequence: self.sequence,
            hash: self.hash.clone(),
        }
    }

    /// Expects that the chain has the event that was noted earlier.
    #[must_use]
    pub fn expect_noted(self, noted: Option<NotedHead>) -> Self {
        Self { noted, ..self }
    }

    /// Verifies the next event of the chain.
    ///
    /// # Errors
    /// Fails if it is not the next event, or was changed since it was appended.
    pub fn follow(&mut self, event: &AuditEvent) -> Result<(), ChainBreak> {
        let expected = self.sequence + 1;
        if event.sequence != expected {
            return Err(ChainBreak::Missing {
                expected,
                found: event.sequence,
            });
        }
        if event.hash != hash(&self.organization, event) {
            return Err(ChainBreak::Altered(event.sequence));
        }
        if event.previous_hash != self.hash {
            return Err(ChainBreak::Unlinked(event.sequence));
        }
        self.sequence = event.sequence;
        self.hash.clone_from(&event.hash);
        self.meet()
    }

    /// Compares the event with the one that was noted.
    fn meet(&mut self) -> Result<(), ChainBreak> {
        let Some(noted) = &self.noted else {
            return Ok(());
        };
        if noted.sequence == self.sequence {
            if noted.hash != self.hash {
                return Err(ChainBreak::NotAsNoted(noted.sequence));
            }
            self.met = true;
        }
        Ok(())
    }

    /// Expects that the chain ends at `head`, and returns that head.
    ///
    /// # Errors
    /// Fails if it does not, or if the noted event was not found.
    pub fn end(&self, head: &AuditHead) -> Result<NotedHead, ChainBreak> {
        if (head.sequence, &head.hash) != (self.sequence, &self.hash) {
            return Err(ChainBreak::CutOff {
                last: self.sequence,
                head: head.sequence,
            });
        }
        match &self.noted {
            Some(noted) if !self.met => Err(ChainBreak::NotAsNoted(noted.sequence)),
            _ => Ok(NotedHead {
                sequence: self.sequence,
                hash: self.hash.clone(),
            }),
        }
    }
}

impl fmt::Display for NotedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex::encode(&self.hash))
    }
}

impl std::str::FromStr for NotedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "give SEQUENCE:HASH as an earlier `audit verify` printed it";
        let (sequence, hash) = text.split_once(':').ok_or(WRONG)?;
        let noted = Self {
            sequence: sequence.parse().map_err(|_| WRONG)?,
            hash: hex::decode(hash).map_err(|_| WRONG)?,
        };
        match noted.hash.len() == NO_HASH.len() && noted.sequence > 0 {
            true => Ok(noted),
            false => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of `pd` with this many events.
    fn events(count: i64) -> Vec<AuditEvent> {
        let mut events: Vec<AuditEvent> = Vec::new();
        for sequence in 1..=count {
            let previous = events.last().map(|event| event.hash.clone());
            let mut event = AuditEvent {
                sequence,
                principal: "local".to_owned(),
                previous_hash: previous.unwrap_or_else(|| NO_HASH.to_vec()),
                ..AuditEvent::default()
            };
            event.hash = hash("pd", &event).to_vec();
            events.push(event);
        }
        events
    }

    fn verify(events: &[AuditEvent], head: &AuditEvent) -> Result<NotedHead, ChainBreak> {
        verify_noted(events, head, None)
    }

    fn verify_noted(
        events: &[AuditEvent],
        head: &AuditEvent,
        noted: Option<NotedHead>,
    ) -> Result<NotedHead, ChainBreak> {
        let mut chain = AuditChain::new("pd").expect_noted(noted);
        events.iter().try_for_each(|event| chain.follow(event))?;
        chain.end(&AuditHead {
            sequence: head.sequence,
            hash: head.hash.clone(),
        })
    }

    #[test]
    fn a_chain_as_it_was_appended_holds() {
        let events = events(5);
        assert_eq!(verify(&events, &events[4]).map(|head| head.sequence), Ok(5));
        let nothing = AuditHead {
            sequence: 0,
            hash: NO_HASH.to_vec(),
        };
        assert!(AuditChain::new("pd").end(&nothing).is_ok());
    }

    #[test]
    fn a_part_of_a_chain_holds_after_the_event_before_it() {
        let events = events(5);
        let noted = verify(&events[..3], &events[2]).unwrap();
        let mut part = AuditChain::after("pd", noted.clone());
        events[3..]
            .iter()
            .try_for_each(|event| part.follow(event))
            .unwrap();
        assert_eq!(part.end(&part.verified()).map(|head| head.sequence), Ok(5));
        let other = NotedHead {
            hash: vec![1; 32],
            ..noted
        };
        let found = AuditChain::after("pd", other).follow(&events[3]);
        assert_eq!(found, Err(ChainBreak::Unlinked(4)));
    }

    #[test]
    fn a_change_is_found_where_it_is() {
        let whole = events(5);
        let head = &whole[4];
        let mut altered = whole.clone();
        altered[2].principal = "somebody else".to_owned();
        assert_eq!(verify(&altered, head), Err(ChainBreak::Altered(3)));
        // Hashing it again breaks the link behind it.
        altered[2].hash = hash("pd", &altered[2]).to_vec();
        assert_eq!(verify(&altered, head), Err(ChainBreak::Unlinked(4)));
        let mut removed = whole.clone();
        removed.remove(1);
        let missing = ChainBreak::Missing {
            expected: 2,
            found: 3,
        };
        assert_eq!(verify(&removed, head), Err(missing));
        let cut = ChainBreak::CutOff { last: 4, head: 5 };
        assert_eq!(verify(&whole[..4], head), Err(cut));
        let mut other = AuditChain::new("sheriff");
        assert_eq!(other.follow(&whole[0]), Err(ChainBreak::Altered(1)));
    }

    #[test]
    fn a_chain_made_anew_is_not_the_one_that_was_noted() {
        let noted = verify(&events(3), &events(3)[2]).unwrap();
        let longer = events(5);
        assert!(verify_noted(&longer, &longer[4], Some(noted.clone())).is_ok());
        let mut anew = Vec::new();
        for mut event in events(5) {
            event.principal = "nobody".to_owned();
            let previous = anew.last().map(|event: &AuditEvent| event.hash.clone());
            event.previous_hash = previous.unwrap_or_else(|| NO_HASH.to_vec());
            event.hash = hash("pd", &event).to_vec();
            anew.push(event);
        }
        assert!(verify(&anew, &anew[4]).is_ok());
        let found = verify_noted(&anew, &anew[4], Some(noted.clone()));
        assert_eq!(found, Err(ChainBreak::NotAsNoted(3)));
        let short = events(2);
        let found = verify_noted(&short, &short[1], Some(noted));
        assert_eq!(found, Err(ChainBreak::NotAsNoted(3)));
    }

    #[test]
    fn what_is_noted_is_read_as_it_is_written() {
        let noted = NotedHead {
            sequence: 42,
            hash: vec![0xab; 32],
        };
        assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
        for wrong in ["", "42", "42:ab", "0:00", ":", "x:00", "42:+b"] {
            assert!(wrong.parse::<NotedHead>().is_err(), "{wrong}");
        }
        assert!(
            format!("0:{}", "00".repeat(32))
                .parse::<NotedHead>()
                .is_err()
        );
    }
}
