//! A gate of the test's own, which answers as it is told and remembers what it was asked and what it could see then.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::event::GateAnswer;
use cloud_publish_core::execute::{Answered, Gate, Question};
use cloud_publish_core::manifest::GateRegions;
use cloud_publish_core::memory::MemoryCloud;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::plan::GateTerms;
use cloud_publish_core::publisher::Context;
use futures::future::BoxFuture;

/// What was the case when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) variant: String,
    /// The regions that it was asked about.
    pub(crate) regions: Vec<String>,
    /// How many images others could use.
    pub(crate) public: usize,
    /// How many images there were, public or not.
    pub(crate) images: usize,
}

#[derive(Debug)]
pub(crate) struct Judge {
    cloud: MemoryCloud,
    identity: &'static str,
    regions: GateRegions,
    answers: Mutex<BTreeMap<String, VecDeque<GateAnswer>>>,
    asked: Mutex<Vec<Asked>>,
}

impl Judge {
    /// Lets everything pass, unless it is told otherwise.
    pub(crate) fn new(cloud: &MemoryCloud, identity: &'static str) -> Arc<Self> {
        let (answers, asked) = (Mutex::default(), Mutex::default());
        Arc::new(Self { cloud: cloud.clone(), identity, regions: GateRegions::All, answers, asked })
    }

    /// Gives this answer to the next question about a variant that has no answer yet.
    pub(crate) fn say(&self, variant: &str, answer: GateAnswer) {
        self.answers.lock().unwrap().entry(variant.to_owned()).or_default().push_back(answer);
    }

    /// What it was asked since it was last looked at.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

pub(crate) fn not_yet() -> GateAnswer {
    GateAnswer::NotYet { reason: "in review".into() }
}

pub(crate) fn no() -> GateAnswer {
    GateAnswer::Failed { reason: "it does not boot".into() }
}

impl Gate for Judge {
    fn terms(&self, _target: &TargetName) -> Option<GateTerms> {
        Some(GateTerms { identity: self.identity.into(), regions: self.regions, concurrency: 2 })
    }

    fn obstacle(&self, _target: &TargetName) -> Option<Error> {
        None
    }

    fn ask<'s, 'c, 'q, 'f>(&'s self, context: &'c Context, question: &'q Question) -> BoxFuture<'f, Result<Answered>>
    where
        's: 'f,
        'c: 'f,
        'q: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            context.check()?;
            Ok(self.judge(question).into())
        })
    }
}

impl Judge {
    fn judge(&self, question: &Question) -> GateAnswer {
        let variant = question.variant.to_string();
        self.asked.lock().unwrap().push(Asked {
            variant: variant.clone(),
            regions: question.images.iter().map(|image| image.region.to_string()).collect(),
            public: self.cloud.exposures().len(),
            images: self.cloud.images(&question.account).len(),
        });
        let answer = self.answers.lock().unwrap().get_mut(&variant).and_then(VecDeque::pop_front);
        answer.unwrap_or(GateAnswer::Passed)
    }
}
