// What an order will cost while the quantity is typed: <form data-price-fen data-tiers="10:900 50:850">. The server decides the real price.

const written = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en-US")}.${String(fen % 100).padStart(2, "0")}`;

/** Price of one unit in fen: the best tier that the quantity reaches. */
export function unitFen(priceFen, tiers, quantity) {
  return tiers.reduce((best, [least, tierFen]) => (quantity >= least ? Math.min(best, tierFen) : best), priceFen);
}

for (const form of document.querySelectorAll("form[data-price-fen]")) {
  const priceFen = Number(form.dataset.priceFen);
  const tiers = form.dataset.tiers.trim().split(/\s+/).filter(Boolean).map((tier) => tier.split(":").map(Number));
  const field = form.elements.namedItem("quantity");
  const sum = form.querySelector("[data-price-sum]");
  const show = () => {
    const quantity = Number(field.value);
    const known = Number.isInteger(quantity) && quantity > 0 && quantity <= 1_000_000;
    sum.classList.toggle("is-unknown", !known);
    if (!known) return;
    const unit = unitFen(priceFen, tiers, quantity);
    form.querySelector("[data-price-unit]").textContent = `${quantity} × ${written(unit)}`;
    form.querySelector("[data-price-total]").textContent = written(unit * quantity);
  };
  field.addEventListener("input", show);
  show();
}
