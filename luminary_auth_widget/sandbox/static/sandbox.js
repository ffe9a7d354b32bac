// @ts-check
// What HTML alone does not do yet: dialogs in place of pages, copying, and menus that close by themselves.

/** @param {Element | null | undefined} menu */
const closeMenu = (menu) => menu?.removeAttribute("open");
const openMenus = () => document.querySelectorAll(".menu[open]");

/** A form that leads to a question opens the dialog that holds the same question. */
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const dialog = document.getElementById(form.dataset.dialog ?? "");
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  const menu = form.closest(".menu");
  closeMenu(menu);
  // Where the focus goes back to: what had it just now is hidden.
  menu?.querySelector("summary")?.focus();
  dialog.showModal();
});

document.addEventListener("click", ({ target }) => {
  openMenus().forEach((menu) => menu.contains(/** @type {Node} */ (target)) || closeMenu(menu));
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  openMenus().forEach((menu) => {
    closeMenu(menu);
    menu.querySelector("summary")?.focus();
  });
});
document.addEventListener("focusin", ({ target }) => {
  openMenus().forEach((menu) => menu.contains(/** @type {Node} */ (target)) || closeMenu(menu));
});

const created = document.getElementById("created");
if (created instanceof HTMLDialogElement) showOnce(created);

/**
 * Show the new key in a dialog, and leave nothing of it in the page that is left or closed.
 * @param {HTMLDialogElement} dialog
 */
function showOnce(dialog) {
  const status = /** @type {Element} */ (dialog.querySelector("[role=status]"));
  let copied = false;
  dialog.querySelectorAll("button[data-copy]").forEach((button) => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.getAttribute("data-copy") ?? ""));
    button.removeAttribute("hidden");
    button.addEventListener("click", async () => {
      field.select();
      copied = true;
      status.textContent = await copy(field.value) ? "Copied." : "Selected. Copy it with Ctrl+C or ⌘C.";
    });
  });
  // A key is easily lost to a stray Escape.
  dialog.addEventListener("cancel", (event) => copied || event.preventDefault());
  dialog.addEventListener("close", () => {
    dialog.remove();
    /** @type {HTMLElement | null} */ (document.querySelector("[data-dialog=create] button"))?.focus();
  });
  window.addEventListener("pagehide", () => dialog.remove());
  dialog.removeAttribute("open");
  dialog.showModal();
  /** @type {HTMLInputElement | null} */ (dialog.querySelector("input"))?.select();
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is in the clipboard; over plain http, pages have none
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
