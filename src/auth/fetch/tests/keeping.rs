//! How long what was read is kept, and how often it is read.

use super::*;

#[tokio::test]
async fn keys_are_kept_as_long_as_their_server_says_and_not_longer() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;

    assert!(publisher.has("a").await);
    publisher.after(59);
    assert!(publisher.has("a").await);
    assert_eq!(publisher.asked(), 1);
    publisher.after(1);
    publisher.publish(&[ec_jwk("b")]);
    assert!(!publisher.has("a").await, "its owner has taken it away");
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_where_the_last_look_is_not_recent() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    assert!(publisher.has("a").await);
    publisher.publish(&[ec_jwk("a"), ec_jwk("b")]);

    publisher.after(9);
    assert!(!publisher.has("b").await, "read a moment ago");
    publisher.after(1);
    assert!(publisher.has("b").await);
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn made_up_keys_do_not_make_us_ask_again_and_again() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    publisher.say(|it| it.cache_control = "max-age=3600");
    assert!(publisher.has("a").await);

    publisher.after(10);
    for number in 0..50 {
        assert!(!publisher.has(&format!("junk-{number}")).await);
    }
    assert_eq!(publisher.asked(), 2, "once, for the first of them");
    publisher.after(10);
    assert!(!publisher.has("junk-0").await);
    assert_eq!(publisher.asked(), 2, "it was looked for and not found");
    publisher.after(50);
    assert!(!publisher.has("junk-0").await);
    assert_eq!(publisher.asked(), 3);
}

#[tokio::test]
async fn only_so_many_missing_keys_are_remembered() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    publisher.say(|it| it.cache_control = "max-age=3600");
    for number in 0..5 {
        publisher.has(&format!("junk-{number}")).await;
        publisher.after(10);
    }

    assert_eq!(publisher.fetcher.place(&publisher.address).known().missing_count(), 5);
    for number in 5..100 {
        publisher.has(&format!("junk-{number}")).await;
        publisher.after(1);
    }
    assert!(publisher.fetcher.place(&publisher.address).known().missing_count() <= 32);
}

#[tokio::test]
async fn while_the_server_fails_the_last_copy_counts_to_its_end_and_not_longer() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    assert!(publisher.has("a").await);
    publisher.say(|it| it.status = StatusCode::INTERNAL_SERVER_ERROR);

    publisher.after(20);
    assert!(!publisher.has("b").await);
    assert_eq!(publisher.asked(), 2);
    publisher.after(39);
    assert!(publisher.has("a").await);
    publisher.after(1);
    assert_eq!(publisher.fault().await, KeysFault::Status(500));
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_a_moment() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    publisher.say(|it| it.status = StatusCode::NOT_FOUND);

    assert_eq!(publisher.fault().await, KeysFault::Status(404));
    publisher.after(4);
    assert_eq!(publisher.fault().await, KeysFault::Status(404));
    assert_eq!(publisher.asked(), 1);
    publisher.say(|it| it.status = StatusCode::OK);
    publisher.after(1);
    assert!(publisher.has("a").await);
}

#[tokio::test]
async fn what_may_not_be_kept_is_read_for_each_second() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    publisher.say(|it| it.cache_control = "no-store");

    assert!(publisher.has("a").await);
    assert!(publisher.has("a").await);
    assert_eq!(publisher.asked(), 1);
    publisher.after(1);
    assert!(publisher.has("a").await);
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn many_who_wait_ask_once() {
    let publisher = Arc::new(Publisher::of(&[ec_jwk("a")]).await);

    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let publisher = Arc::clone(&publisher);
            tokio::spawn(async move { publisher.has("a").await })
        })
        .collect();
    for one in waiting {
        assert!(one.await.unwrap());
    }

    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn who_can_use_what_is_kept_does_not_wait_for_those_who_look_for_more() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    assert!(publisher.has("a").await);
    let place = publisher.fetcher.place(&publisher.address);

    let _somebody_reads = place.reading.lock().await;

    assert!(publisher.has("a").await);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nothing_longer() {
    let publisher = Publisher::of(&[ec_jwk("a")]).await;
    assert!(publisher.has("a").await);
    let before = Timestamp::from_second(1_700_000_000).unwrap();

    let step = publisher.fetcher.place(&publisher.address).known().step(&named("a"), before);

    assert!(matches!(step, Step::Read));
}
