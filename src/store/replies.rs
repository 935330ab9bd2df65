//! What partners send about referrals that we have.

use async_trait::async_trait;

use crate::model::ids::{ReferralId, ReplyId};
use crate::model::reply::{NewReply, Reply, ReplyAcceptance};
use crate::model::sensitive::Sensitive;
use crate::model::work::StoreError;

/// What partners send about referrals that we have.
#[async_trait]
pub trait Replies: Send + Sync {
    /// Records a reply with its body, its keys and the work to take it to the clinic, after whatever is owed there for
    /// the same referral; or says that it is known.
    async fn accept_reply(&self, new: NewReply) -> Result<ReplyAcceptance, StoreError>;

    /// What [`accept_reply`](Replies::accept_reply) would say of a reply that is known; none: it would be new. Only
    /// reads.
    async fn known_reply(&self, new: NewReply) -> Result<Option<ReplyAcceptance>, StoreError>;

    /// The replies about a referral, oldest first.
    async fn replies(&self, referral: ReferralId) -> Result<Vec<Reply>, StoreError>;

    /// The reply of this id.
    async fn reply(&self, id: ReplyId) -> Result<Option<Reply>, StoreError>;

    /// A reply's body as it was recorded; none: there is no such reply, or its body was purged.
    async fn reply_body(&self, id: ReplyId) -> Result<Option<Sensitive<Vec<u8>>>, StoreError>;
}
