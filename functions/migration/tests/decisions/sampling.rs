//! Samples show what they say, by every seed.

use std::collections::{BTreeMap, BTreeSet};

use migration::sample::{Chooser, Chosen};
use migration::spot_check::Stratum;
use proptest::prelude::*;

/// A stratum from a small number: every kind is there.
fn stratum(number: u8) -> Stratum {
    let name = format!("{:02}", number / 4);
    match number % 4 {
        0 => Stratum::Trouble(name),
        1 => Stratum::Object(name),
        2 => Stratum::Office(name),
        _ => Stratum::Month(name),
    }
}

fn choose(records: &BTreeMap<String, BTreeSet<u8>>, seed: u64, size: usize) -> Chosen {
    let mut chooser = Chooser::new(seed, size);
    for (key, strata) in records {
        chooser.offer(key, strata.iter().copied().map(stratum));
    }
    chooser.choose()
}

fn records() -> impl Strategy<Value = BTreeMap<String, BTreeSet<u8>>> {
    let shows = prop::collection::btree_set(0_u8..40, 0..6);
    prop::collection::vec(shows, 0..120).prop_map(|all| {
        all.into_iter().enumerate().map(|(at, shows)| (format!("ticket:{at}"), shows)).collect()
    })
}

/// Counts by hand what the sample shows.
fn counted(records: &BTreeMap<String, BTreeSet<u8>>, keys: &BTreeSet<String>, wanted: &Stratum) -> u64 {
    let shows = |key: &String| records[key].iter().any(|number| stratum(*number) == *wanted);
    keys.iter().filter(|key| shows(key)).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn with_room_for_all_every_stratum_is_shown(records in records(), seed in any::<u64>()) {
        let different: BTreeSet<u8> = records.values().flatten().copied().collect();
        let chosen = choose(&records, seed, different.len());
        prop_assert_eq!(chosen.missing().count(), 0);
        prop_assert!(chosen.size_needed <= different.len());
        // The size that is named is enough, and one less is not.
        let enough = choose(&records, seed, chosen.size_needed);
        prop_assert_eq!(enough.missing().count(), 0);
        if chosen.size_needed > 0 {
            let less = choose(&records, seed, chosen.size_needed - 1);
            prop_assert!(less.missing().count() > 0);
        }
    }

    #[test]
    fn what_is_said_of_a_sample_is_so(records in records(), seed in any::<u64>(), size in 0_usize..60) {
        let chosen = choose(&records, seed, size);
        prop_assert_eq!(chosen.keys.len(), size.min(records.len()));
        prop_assert_eq!(chosen.records, records.len() as u64);
        let all: BTreeSet<String> = records.keys().cloned().collect();
        prop_assert!(chosen.keys.is_subset(&all));
        for shown in &chosen.strata {
            prop_assert_eq!(shown.chosen, counted(&records, &chosen.keys, &shown.stratum));
            prop_assert_eq!(shown.of, counted(&records, &all, &shown.stratum));
            prop_assert!(shown.of > 0);
        }
        let different: BTreeSet<u8> = records.values().flatten().copied().collect();
        prop_assert_eq!(chosen.strata.len(), different.len());
        prop_assert_eq!(&chosen, &choose(&records, seed, size));
    }

    #[test]
    fn the_order_of_records_decides_nothing(records in records(), seed in any::<u64>(), size in 0_usize..60) {
        let mut backwards = Chooser::new(seed, size);
        for (key, strata) in records.iter().rev() {
            backwards.offer(key, strata.iter().rev().copied().map(stratum));
        }
        prop_assert_eq!(choose(&records, seed, size), backwards.choose());
    }

    #[test]
    fn while_a_kind_of_trouble_is_missing_no_rarer_one_has_a_record_of_its_own(
        records in records(), seed in any::<u64>(), size in 0_usize..12,
    ) {
        // Every record shows one stratum alone, so that none is shown by the way.
        let single: BTreeMap<String, BTreeSet<u8>> = records
            .into_iter()
            .filter_map(|(key, shows)| Some((key, BTreeSet::from([shows.into_iter().next()?]))))
            .collect();
        let chosen = choose(&single, seed, size);
        if chosen.missing().next().is_some() {
            let of_trouble = |shown: &&migration::sample::Shown| matches!(shown.stratum, Stratum::Trouble(_));
            let missing = chosen.missing().filter(of_trouble).map(|shown| shown.of).max();
            let shown = chosen.strata.iter().filter(of_trouble).filter(|it| it.chosen > 0);
            if let Some(missing) = missing {
                prop_assert!(shown.map(|it| it.of).all(|of| of >= missing));
                let others = chosen.strata.iter().filter(|it| !of_trouble(it));
                prop_assert_eq!(others.map(|it| it.chosen).sum::<u64>(), 0);
            }
        }
    }
}

#[test]
fn one_record_that_shows_much_is_taken_instead_of_several() {
    let records: BTreeMap<String, BTreeSet<u8>> =
        [("a", vec![0, 1]), ("b", vec![0, 2]), ("c", vec![0, 1, 2, 3]), ("d", vec![3]), ("e", vec![7])]
            .into_iter()
            .map(|(key, shows)| (key.to_owned(), shows.into_iter().collect()))
            .collect();
    for seed in 0..50 {
        let chosen = choose(&records, seed, 2);
        assert_eq!(chosen.keys, BTreeSet::from(["c".to_owned(), "e".to_owned()]), "seed {seed}");
        assert_eq!(chosen.size_needed, 2);
    }
}

#[test]
fn another_seed_chooses_others() {
    let records: BTreeMap<String, BTreeSet<u8>> = (0..125)
        .flat_map(|at| (0..8_u8).map(move |kind| (format!("ticket:{at}:{kind}"), BTreeSet::from([kind]))))
        .collect();
    let first = choose(&records, 1, 25);
    assert_ne!(first.keys, choose(&records, 2, 25).keys);
    assert_eq!(first.keys.len(), 25);
}
