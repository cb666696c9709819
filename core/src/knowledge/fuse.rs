//! Reciprocal rank fusion of several rankings (Cormack, Clarke and Büttcher, SIGIR 2009, with their k = 60).

use std::collections::HashMap;

use crate::model::StageRank;

const K: f32 = 60.0;

/// A passage with its places in each ranking, in the order of the rankings given.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused {
    pub id: u64,
    /// 0 to 1: 1 is first place in every ranking.
    pub score: f32,
    pub stages: Vec<Option<StageRank>>,
}

/// Merges rankings (best first, `(id, score)`), best first. Rankings without any result do not lower the scores.
pub fn fuse(rankings: &[Vec<(u64, f32)>]) -> Vec<Fused> {
    let mut by_id: HashMap<u64, Fused> = HashMap::new();
    let mut voters = 0_u16;
    for (stage, ranking) in rankings.iter().enumerate() {
        voters += u16::from(!ranking.is_empty());
        for ((id, score), rank) in ranking.iter().zip(1_u32..) {
            let fused =
                by_id.entry(*id).or_insert_with(|| Fused { id: *id, score: 0.0, stages: vec![None; rankings.len()] });
            if fused.stages[stage].is_none() {
                fused.stages[stage] = Some(StageRank { rank, score: *score });
                fused.score += 1.0 / (K + rank as f32);
            }
        }
    }
    let best = f32::from(voters.max(1)) / (K + 1.0);
    let mut all: Vec<Fused> = by_id.into_values().collect();
    for fused in &mut all {
        fused.score = (fused.score / best).clamp(0.0, 1.0);
    }
    all.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_beats_one_high_place() {
        let fused = fuse(&[vec![(1, 9.0), (2, 8.0), (3, 1.0)], vec![(2, 0.9), (4, 0.8), (1, 0.2)]]);
        let order: Vec<_> = fused.iter().map(|hit| hit.id).collect();
        assert_eq!(order, [2, 1, 4, 3]);
        assert_eq!(fused[0].stages[0], Some(StageRank { rank: 2, score: 8.0 }));
        assert_eq!(fused[3].stages[1], None);
        assert!(fused.iter().all(|hit| hit.score > 0.0 && hit.score < 1.0));
    }

    #[test]
    fn first_everywhere_is_one_and_empty_stages_do_not_count() {
        let fused = fuse(&[vec![(7, 3.0)], Vec::new(), vec![(7, 0.5)]]);
        assert_eq!(fused.len(), 1);
        assert!((fused[0].score - 1.0).abs() < 1e-6);
        assert!(fuse(&[]).is_empty());
    }
}
