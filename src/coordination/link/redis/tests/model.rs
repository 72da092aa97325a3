//! The scripts against a model of them: whoever writes, in whatever order, what is accepted rises.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Claim(Token),
    Publish(Token, u64, u64),
    Board(Token),
    News(Token),
}

/// What the scripts promise, in Rust's own numbers.
#[derive(Default)]
struct Model {
    stored: Option<(Token, u64, u64)>,
}

impl Model {
    fn stale(&self, token: Token) -> Option<Token> {
        self.stored.map(|(stored, ..)| stored).filter(|stored| *stored > token)
    }

    fn publish(&mut self, token: Token, seq: u64, beat: u64) -> Published {
        if let Some(stored) = self.stale(token) {
            return Published::Stale(stored);
        }
        let (stored, old_seq, old_beat) = self.stored.unwrap_or_default();
        if stored == token && (seq < old_seq || beat <= old_beat) {
            return Published::Dup;
        }
        self.stored = Some((token, seq, beat));
        Published::Ok
    }

    fn claim(&mut self, token: Token) -> Result<u64, Token> {
        if let Some(stored) = self.stale(token) {
            return Err(stored);
        }
        let (stored, seq, beat) = self.stored.unwrap_or_default();
        self.stored = Some((token, seq, if stored == token { beat } else { 0 }));
        Ok(seq)
    }
}

/// Few enough that they meet, and where the doubles of Lua could not tell neighbours apart.
fn numbers() -> impl Strategy<Value = u64> {
    let edges = [9, 10, 99, 100, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, (1 << 53) + 2, u64::MAX - 1, u64::MAX];
    prop_oneof![3 => 0..4_u64, 2 => proptest::sample::select(edges.to_vec()), 1 => any::<u64>()]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let tokens =
        || (prop_oneof![4 => Just(0), 1 => numbers()], numbers()).prop_map(|(epoch, rev)| Token { epoch, rev });
    let op = prop_oneof![
        2 => tokens().prop_map(Op::Claim),
        6 => (tokens(), numbers(), numbers()).prop_map(|(token, seq, beat)| Op::Publish(token, seq, beat)),
        1 => tokens().prop_map(Op::Board),
        1 => tokens().prop_map(Op::News),
    ];
    proptest::collection::vec(op, 1..40)
}

async fn agree(link: &mut RedisLink, ops: &[Op]) {
    let mut model = Model::default();
    let mut accepted = Vec::new();
    for op in ops {
        match op {
            Op::Publish(token, seq, beat) => {
                let said = Said { seq: *seq, ..said(*beat) };
                let answer = link.publish(*token, &said, "x").await;
                assert_eq!(answer, Ok(model.publish(*token, *seq, *beat)), "{op:?}");
                if answer == Ok(Published::Ok) {
                    accepted.push((*token, *seq, *beat));
                }
            }
            Op::Claim(token) => {
                let answer = match link.claim(*token).await.unwrap() {
                    Claimed::Ok { seq, .. } => Ok(seq),
                    Claimed::Stale(stored) => Err(stored),
                };
                assert_eq!(answer, model.claim(*token), "{op:?}");
            }
            Op::Board(token) | Op::News(token) => {
                let answer = match op {
                    Op::Board(_) => link.keep_board(*token, "x").await,
                    _ => link.publish_news(*token, "x").await,
                };
                assert_eq!(answer, Ok(model.stale(*token).map_or(Published::Ok, Published::Stale)), "{op:?}");
            }
        }
        let stored = link.state().await.unwrap().map(|state| (state.token, state.seq, state.beat));
        assert_eq!(stored, model.stored, "after {op:?}");
    }
    assert!(accepted.is_sorted_by(|before, after| before < after), "{accepted:?}");
}

#[test]
fn what_is_accepted_rises_whoever_writes() {
    let Some(server) = Running::start(&[]) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = Cell::new(0);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(ops in ops())| {
        count.set(count.get() + 1);
        let mut link = RedisLink::new(&server.url(), &format!("b{}", count.get()), None).unwrap();
        runtime.block_on(agree(&mut link, &ops));
    });
}
