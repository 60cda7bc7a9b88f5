// What an entry says, in words a person uses: its kind, its stream, amounts in yuan, moments. What has no words here is
// shown as it is written.

import { inWords, marked, plain, said } from "./say.js";

const TIME_ZONE = "Asia/Shanghai";
const FIELDS_MAX = 100;

export const KINDS = {
  "shop.applied": marked("Somebody asked to open a shop"),
  "shop.admitted": marked("A shop may trade"),
  "shop.changed": marked("A shop changed its name, announcement or payout account"),
  "shop.suspended": marked("The operator stopped a shop's new orders"),
  "shop.reinstated": marked("A shop may trade again"),
  "shop.attended": marked("Somebody of the shop was at its desk"),
  "shop.vanished": marked("A shop gave no sign of life: its open orders are refunded"),
  "shop.return_asked": marked("A vanished shop is back and asks for a person"),
  "shop.returned": marked("A person let a vanished shop trade again"),
  "shop.closed": marked("A shop was closed by its owner"),
  "shop.sanctioned": marked("A measure against a shop was published"),
  "shop.sanction_annotated": marked("Something was added to a published measure"),
  "shop.sanction_appealed": marked("A shop appealed against a measure"),
  "shop.application_filed": marked("An applicant said who stands behind the shop"),
  "shop.application_seconded": marked("The first of two reviewers agreed"),
  "shop.application_returned": marked("The reviewers asked an applicant for more"),
  "shop.application_passed": marked("Who stands behind a shop was verified"),
  "shop.application_refused": marked("An application was refused"),
  "shop.checked": marked("The next check of a shop was set"),
  "shop.check_near": marked("A shop was reminded of its check"),
  "shop.check_lapsed": marked("A shop's check lapsed: no new orders"),
  "shop.payout_account_changed": marked("A shop named another payout account; payouts wait"),
  "listing.published": marked("A revision of a listing was published"),
  "listing.withdrawn": marked("A listing was taken off sale"),
  "coupon.created": marked("A coupon was made"),
  "coupon.used": marked("An order used a coupon"),
  "coupon.returned": marked("An order gave its coupon back"),
  "coupon.withdrawn": marked("A coupon was ended by its shop"),
  "batch.registered": marked("A batch of codes was registered before sale"),
  "batch.attested": marked("The issuer has signed for a batch of codes"),
  "batch.quarantined": marked("A batch was taken off sale by a ruling"),
  "batch.codes_withdrawn": marked("Unsold codes were taken off sale"),
  "batch.codes_held": marked("Unsold codes wait off sale"),
  "batch.codes_let_back": marked("Codes that waited are on sale again"),
  "batch.held_withdrawn": marked("Codes that waited were taken out by their shop"),
  "batch.codes_exported": marked("A shop was shown its unsold codes in clear"),
  "batch.review_asked": marked("A shop asked a person to let a batch back"),
  "batch.review_answered": marked("A person decided about a batch off sale"),
  "batch.review_lapsed": marked("Nobody answered in time about a batch off sale"),
  "order.placed": marked("An order was placed"),
  "order.expired": marked("An order ended unpaid"),
  "order.paid": marked("An order was paid in full; the money is held"),
  "order.delivered": marked("All codes of an order were delivered, sealed"),
  "order.wait_agreed": marked("The buyer agreed to wait once more"),
  "order.cut_short": marked("An order was delivered in part; the rest of the money goes back"),
  "order.cancelled": marked("An order was cancelled: not delivered in time"),
  "order.withdrawn": marked("The buyer stepped back while all was sealed"),
  "order.held_longer": marked("Held longer: the shop is throttled"),
  "order.confirmed": marked("The buyer confirmed that all is well"),
  "order.completed": marked("An order was completed; the money goes to the shop"),
  "order.disputed": marked("An order was frozen by a complaint"),
  "order.refunded": marked("An order ended with money back"),
  "order.clock_stopped": marked("A clock stood still: outage of the issuer"),
  "order.wound_up": marked("An order was refunded: its shop has vanished"),
  "code.reserved": marked("Codes were reserved for an order"),
  "code.released": marked("Codes left an order sealed"),
  "code.delivered": marked("Codes were put into the buyer's order, sealed"),
  "code.replaced": marked("Other codes instead of opened ones"),
  "code.revealed": marked("The buyer opened codes"),
  "payment.received": marked("A payment arrived"),
  "payment.surplus": marked("More money arrived than the order can take"),
  "payment.refund_requested": marked("A refund was ordered"),
  "payment.refunded": marked("The payment provider confirmed a refund"),
  "payment.refund_failed": marked("The payment provider refused a refund"),
  "payment.released": marked("Held money was ordered to be split"),
  "payment.stake_kept": marked("Lost stake kept"),
  "payment.settled": marked("The payment provider confirmed the split"),
  "payment.release_failed": marked("The payment provider refused the split"),
  "payment.unmatched": marked("Money arrived that belongs to no order"),
  "payment.unmatched_refund_requested": marked("Money without an order was ordered back"),
  "payment.unmatched_refunded": marked("Money without an order went back"),
  "payment.unmatched_refund_failed": marked("The payment provider refused to send back money without an order"),
  "payment.payout_requested": marked("A shop asked for its money"),
  "payment.paid_out": marked("A shop's money was paid out"),
  "payment.payout_failed": marked("A payout was refused"),
  "payment.payout_contradicted": marked("The provider reports another end of a payout than before"),
  "payment.payout_arrived": marked("A payout that had failed arrived after all"),
  "payment.payout_returned": marked("A payout came back from the bank"),
  "arbitrator.admitted": marked("Arbitrator admitted"),
  "arbitrator.applied": marked("Application as arbitrator"),
  "arbitrator.calibrated": marked("Judged a case with a known answer"),
  "arbitrator.examined": marked("Test set answered"),
  "arbitrator.judged": marked("A panel of his is over"),
  "arbitrator.left": marked("Arbitrator left"),
  "arbitrator.refused": marked("Arbitrator not admitted"),
  "arbitrator.reinstated": marked("Arbitrator drawn again"),
  "arbitrator.paid": marked("Fees paid"),
  "arbitrator.reversed": marked("Reversed by a higher panel"),
  "arbitrator.suspended": marked("Arbitrator suspended"),
  "deposit.agreed": marked("Deposit terms accepted"),
  "deposit.deducted": marked("Deducted from the deposit"),
  "deposit.not_returned": marked("Return of deposit refused by the provider"),
  "deposit.not_secured": marked("Deposit not taken into custody"),
  "deposit.release_cut": marked("Part of a release is needed after all"),
  "deposit.release_requested": marked("Deposit asked back"),
  "deposit.kept_for_claims": marked("A vanished shop's deposit is kept for claims"),
  "deposit.claimed": marked("A claim against a vanished shop's deposit counts"),
  "deposit.shared": marked("A vanished shop's deposit was divided"),
  "deposit.share_paid": marked("A share of a vanished shop's deposit was paid"),
  "evidence.sealed": marked("Somebody held a list of sealed evidence with this hash"),
  "claim.announced": marked("A buyer of a vanished shop is told that he may claim"),
  "claim.accepted": marked("A buyer of a vanished shop has a claim"),
  "deposit.owed_collected": marked("Owed money taken out of a top-up"),
  "deposit.released": marked("Deposit on its way back"),
  "deposit.returned": marked("Deposit returned"),
  "deposit.secured": marked("Deposit in custody"),
  "deposit.stake_forfeited": marked("Stake lost"),
  "deposit.stake_locked": marked("Stake set"),
  "deposit.stake_returned": marked("Stake returned"),
  "deposit.top_up_asked": marked("Payment into the deposit asked for"),
  "deposit.topped_up": marked("Paid into the deposit"),
  "dispute.accepted": marked("Offer accepted"),
  "dispute.appealed": marked("Ruling appealed"),
  "dispute.asked": marked("The shop asked the buyer"),
  "dispute.declined": marked("Offer declined"),
  "dispute.demanded": marked("What the buyer wants"),
  "dispute.escalated": marked("People decide"),
  "dispute.evidence_added": marked("Evidence given"),
  "dispute.evidence_confirmed": marked("Evidence let stand"),
  "dispute.evidence_doubted": marked("Evidence doubted"),
  "dispute.evidence_withdrawn": marked("Evidence withdrawn"),
  "dispute.executed": marked("Ruling carried out"),
  "dispute.offered": marked("Settlement offered"),
  "dispute.replied": marked("The buyer replied"),
  "dispute.lapsed": marked("The buyer did not reply; the complaint lapses"),
  "dispute.clock_stopped": marked("A clock stood still: outage of the issuer"),
  "dispute.reopened": marked("The complaint was re-opened"),
  "dispute.resend_confirmed": marked("The replacement works"),
  "dispute.resend_refused": marked("The replacement fails as well"),
  "dispute.resent": marked("The shop sent a replacement"),
  "dispute.review_asked": marked("Human review asked for"),
  "dispute.reviewed": marked("Reviewed by a person"),
  "dispute.ruled": marked("Ruling"),
  "dispute.ruling_taken": marked("Ruling accepted"),
  "dispute.stake_settled": marked("Stake of an appeal settled"),
  "dispute.waiting": marked("Open until a moment"),
  "evidence.recording_started": marked("Guided recording began"),
  "evidence.recording_stopped": marked("Guided recording ended"),
  "message.sent": marked("Message"),
  "panel.convened": marked("Pool of a panel published"),
  "panel.decided": marked("Panel decided"),
  "panel.drawn": marked("Panel drawn"),
  "panel.evidence_opened": marked("Evidence looked at"),
  "panel.lapsed": marked("Panel without decision"),
  "panel.requested": marked("Panel requested"),
  "panel.reveal_opened": marked("Votes are opened"),
  "panel.seat_replaced": marked("Seat replaced"),
  "panel.vote_committed": marked("Vote committed"),
  "panel.vote_revealed": marked("Vote revealed"),
  "payment.restore_failed": marked("Money back refused by the provider"),
  "payment.restored": marked("Money back confirmed"),
  "payment.restoring": marked("Money back on its way"),
  "pool.funded": marked("Guarantee pool funded"),
  "pool.paid": marked("Paid out of the guarantee pool"),
  "pool.took": marked("Into the guarantee pool"),
  "credit.changed": marked("Credit changed"),
  "credit.reviewed": marked("A frozen shop was reviewed"),
  "review.objected": marked("The shop objects to a review"),
  "review.marked": marked("Review marked"),
  "review.amended": marked("The buyer amended a review"),
  "review.text_hidden": marked("Words of a review were hidden"),
  "dispute.opened": marked("The buyer complained"),
  "dispute.answered": marked("The shop disagreed with a complaint"),
  "dispute.weighed": marked("A ruling was compared with the standard"),
  "dispute.final": marked("A complaint ended"),
  "review.posted": marked("The buyer wrote a review"),
  "attest.activated": marked("The issuer says: a code was activated"),
  "attest.unused": marked("The issuer says: a code is unused"),
  "attest.revoked": marked("The issuer says: a code was revoked"),
  "attest.unclear": marked("The issuer's answer about a code was unclear"),
  "issuer.registered": marked("An issuer was registered with its key"),
  "issuer.key_rotated": marked("An issuer has a new key"),
  "issuer.scope_changed": marked("What an issuer speaks for was changed"),
  "issuer.api_changed": marked("How an issuer is asked was changed"),
  "issuer.outage_began": marked("An outage of an issuer began"),
  "issuer.outage_ended": marked("An outage of an issuer is over"),
  "issuer.outage_denied": marked("An issuer says that there was no outage"),
  "issuer.suspended": marked("An issuer is no longer believed"),
  "issuer.reinstated": marked("An issuer is believed again"),
  "standard.published": marked("A version of the standard was published"),
  "person.erased": marked("A person's sealed fields were erased"),
};

const STREAMS = {
  shop: marked("Shop"),
  listing: marked("Listing"),
  coupon: marked("Coupon"),
  batch: marked("Batch"),
  order: marked("Order"),
  unmatched: marked("Payment without an order"),
  payout: marked("Payout"),
  issuer: marked("Issuer"),
  standard: marked("Standard"),
};

const FIELDS = {
  amount_fen: marked("Amount"),
  refund_fen: marked("Money back"),
  unit_price_fen: marked("Unit price"),
  price_fen: marked("Price"),
  discount_fen: marked("Discount"),
  demand_fen: marked("Asked back"),
  shop_fen: marked("For the shop"),
  fee_fen: marked("Fee of the platform"),
  fee_bp: marked("Fee of the platform"),
  quantity: marked("Quantity"),
  count: marked("Number of codes"),
  codes: marked("Codes"),
  commitments: marked("Commitments to the codes"),
  root: marked("Merkle root of the commitments"),
  revision: marked("Revision"),
  revision_hash: marked("Hash of the revision"),
  listing_id: marked("Listing"),
  order_id: marked("Order"),
  delivery: marked("Delivery"),
  promise_min: marked("Promised minutes"),
  deliver_by_ms: marked("To be delivered by"),
  expires_at_ms: marked("Expires"),
  paid_at_ms: marked("Paid"),
  answer_by_ms: marked("To be answered by"),
  rule_by_ms: marked("To be ruled by"),
  reason: marked("Reason"),
  outcome: marked("Outcome"),
  why: marked("Why"),
  by: marked("By"),
  buyer: marked("Buyer (pseudonym)"),
  contact: marked("Contact"),
  text: marked("Text"),
  terms: marked("Terms"),
  provider: marked("Payment provider"),
  provider_txn: marked("Number of the payment"),
  source: marked("Source"),
  account_name: marked("Account it is for"),
  account_region: marked("Region of the account"),
};

const WORDS = { true: marked("yes"), false: marked("no") };

// A moment in China's time, as the page's language writes it.
export function moment(ms, language) {
  if (typeof ms !== "number" || !(Math.abs(ms) <= 8.64e15)) return plain(ms);
  const style = { dateStyle: "medium", timeStyle: "medium", timeZone: TIME_ZONE };
  return `${new Intl.DateTimeFormat(language, style).format(ms)} (UTC+8)`;
}

export function yuan(fen) {
  if (!Number.isSafeInteger(fen)) return plain(fen);
  const digits = String(Math.abs(fen)).padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "-" : ""}\u00a5${whole}.${digits.slice(-2)}`;
}

export function kindInWords(kind) {
  return Object.hasOwn(KINDS, kind) ? inWords(said(KINDS[kind])) : plain(kind);
}

export function streamInWords(stream) {
  const [kind, ...id] = stream.split(":");
  const word = Object.hasOwn(STREAMS, kind) ? inWords(said(STREAMS[kind])) : plain(kind);
  return `${word} ${plain(id.join(":"))}`;
}

export function fieldInWords(name) {
  return Object.hasOwn(FIELDS, name) ? inWords(said(FIELDS[name])) : plain(name);
}

export function valueInWords(name, value, language) {
  if (name.endsWith("_fen") && typeof value === "number") return yuan(value);
  if (/_(?:at|by|until)_ms$/.test(name) && typeof value === "number") return value ? moment(value, language) : "\u2013";
  if (name.endsWith("_bp") && typeof value === "number") return `${value / 100} %`;
  if (typeof value === "boolean") return inWords(said(WORDS[value]));
  if (value === null || value === "") return "\u2013";
  if (typeof value !== "object") return plain(value);
  if (Array.isArray(value) && value.every((one) => typeof one === "string" || typeof one === "number")) {
    return plain(value.slice(0, FIELDS_MAX).join(", ")) || "\u2013";
  }
  try {
    return plain(JSON.stringify(value));
  } catch {
    return "\u2026"; // nested deeper than a browser can write it
  }
}

// The public fields: [[label, value], ...], never endless.
export function publicRows(fields, language) {
  return Object.entries(fields).slice(0, FIELDS_MAX).map(([name, value]) => [fieldInWords(name), valueInWords(name, value, language)]);
}
