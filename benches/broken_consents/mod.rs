//! Consents broken in any way, and what must hold of every one: no panic, no release, and a reason. Shared by
//! an ordinary test, a long run (`cargo bench --bench consent_fuzz`) and a fuzzer.

pub(crate) mod choice;
pub(crate) mod good;
pub(crate) mod mutation;
pub(crate) mod oracle;
pub(crate) mod scene;

use serde_json::Value;

use choice::Choice;
use scene::Scene;

/// One run: a scene, the good Consents in it, and the broken one.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) scene: Scene,
    pub(crate) consents: Vec<Value>,
    pub(crate) broken: Value,
}

impl Run {
    /// Makes a run of choices.
    pub(crate) fn of(scene: &Scene, good: &[Value], choice: &mut Choice<'_>) -> Self {
        let mut scene = scene.clone();
        scene.choose(choice);
        let consents = (0..choice.of(3)).map(|_| choice.one(good).clone()).collect();
        let mut broken = choice.one(good).clone();
        for _ in 0..choice.of(4) {
            mutation::take_over(&mut broken, choice.one(good), choice);
        }
        // Often little, so that what is broken is still understood in part.
        for _ in 0..choice.of(6) / 2 {
            mutation::break_once(&mut broken, choice);
        }
        Self { scene, consents, broken }
    }
}
