// Appearance without a reload: marks the page as scripted and lets the footer's links switch light and dark in place.
// Without this module the same links work through the server (?theme=dark sets a cookie).

document.documentElement.classList.add("js");

const YEAR_S = 365 * 86_400;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-theme-name]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const name = link.dataset.themeName;
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", name === "auto" ? "light dark" : name);
  document.cookie = `fk_theme=${name}; path=/; max-age=${YEAR_S}; samesite=lax`;
  for (const other of document.querySelectorAll("[data-theme-name]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
});
