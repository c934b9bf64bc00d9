// Keys for what is on the page, and drafts that survive a closed browser. Everything works without it, too.
const typed = (element) => element.matches("input, textarea, select");
const done = new URLSearchParams(location.search).get("done");
if (done) localStorage.removeItem(done); // it was written down: only now is the draft not needed any more
const draft = document.querySelector("main[data-draft]")?.dataset.draft;
const comment = document.getElementById("comment");
if (draft && comment) {
  comment.value ||= localStorage.getItem(draft) ?? "";
  comment.addEventListener("input", () => localStorage.setItem(draft, comment.value));
}
for (const button of document.querySelectorAll("[data-comment]")) {
  button.addEventListener("click", () => {
    comment.value = button.dataset.comment;
    if (draft) localStorage.setItem(draft, comment.value);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typed(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const field = { c: "comment", p: "points" }[event.key];
  const target = field
    ? document.getElementById(field)
    : [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (!target) return;
  event.preventDefault();
  if (field) target.focus();
  else target.click();
});
