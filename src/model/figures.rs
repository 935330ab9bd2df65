//! How many deliveries stand where: what an operator watches.

use jiff::Timestamp;

use super::delivery::DeliveryState;

/// The ledger's figures at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFigures {
    /// Deliveries that were ever recorded, counted by the sequence numbers that their lanes gave out and not by
    /// their rows: the two counts must agree.
    pub recorded: u64,
    /// Deliveries that replays made due again, ever.
    pub replayed: u64,
    /// Deliveries by state. A state that no delivery is in may be left out.
    pub by_state: Vec<(DeliveryState, u64)>,
    /// Everything that did not come to its end, in groups.
    pub open: Vec<OpenGroup>,
    /// Lanes in which something waits or runs, by endpoint.
    pub lanes: Vec<(String, u64)>,
}

/// Deliveries that are not at their end and stand alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenGroup {
    /// `@clinic` or a partner's id.
    pub endpoint: String,
    /// Where they stand.
    pub state: DeliveryState,
    /// Why, as a code of ours; none while all is well.
    pub reason: Option<String>,
    /// How many.
    pub count: u64,
    /// When the oldest of them was recorded.
    pub oldest: Timestamp,
    /// When the first of them is due; none where no attempt will be made by itself.
    pub next_attempt: Option<Timestamp>,
}

impl LedgerFigures {
    /// How many deliveries were recorded and are in no state: must be 0. `recorded = delivered + superseded +
    /// held + dead + quarantined + pending` (reference: delivery B3); below 0, some were never recorded.
    pub fn conservation_gap(&self) -> i64 {
        let standing: u64 = self.by_state.iter().map(|(_, count)| count).sum();
        i64::try_from(i128::from(self.recorded) - i128::from(standing)).unwrap_or(i64::MAX)
    }

    /// How many deliveries wait for an attempt or run.
    pub fn undelivered(&self) -> u64 {
        self.pending().map(|group| group.count).sum()
    }

    /// When the oldest delivery was recorded that waits for an attempt or runs.
    pub fn oldest_undelivered(&self) -> Option<Timestamp> {
        self.pending().map(|group| group.oldest).min()
    }

    /// Groups that move by themselves.
    pub fn pending(&self) -> impl Iterator<Item = &OpenGroup> {
        self.open.iter().filter(|group| group.state.is_pending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(recorded: u64, by_state: Vec<(DeliveryState, u64)>) -> LedgerFigures {
        LedgerFigures { recorded, by_state, ..LedgerFigures::default() }
    }

    #[test]
    fn the_gap_tells_what_is_lost_and_what_came_from_nowhere() {
        let standing = vec![(DeliveryState::Delivered, 3), (DeliveryState::Held, 1)];

        assert_eq!(figures(4, standing.clone()).conservation_gap(), 0);
        assert_eq!(figures(6, standing.clone()).conservation_gap(), 2);
        assert_eq!(figures(3, standing).conservation_gap(), -1);
    }

    #[test]
    fn only_what_moves_by_itself_is_undelivered() {
        let group = |state, second| OpenGroup {
            endpoint: "lakeside".to_owned(),
            state,
            reason: None,
            count: 2,
            oldest: Timestamp::from_second(second).unwrap(),
            next_attempt: None,
        };
        let open = vec![
            group(DeliveryState::Held, 1),
            group(DeliveryState::Queued, 5),
            group(DeliveryState::UnknownWait, 4),
            group(DeliveryState::Dead, 2),
        ];
        let figures = LedgerFigures { open, ..LedgerFigures::default() };

        assert_eq!(figures.undelivered(), 4);
        assert_eq!(figures.oldest_undelivered(), Some(Timestamp::from_second(4).unwrap()));
    }
}
