"use strict";
// Pictures open in a dialog (arrow keys step, Escape closes); the gallery can be narrowed to a class.
const shots = [...document.querySelectorAll(".shot img")];
const box = document.querySelector("dialog");
const [large, caption] = [box.querySelector("img"), box.querySelector("figcaption")];
let shown = 0;

function show(index) {
  shown = (index + shots.length) % shots.length;
  const picture = shots[shown];
  large.src = picture.src;
  large.alt = caption.textContent = picture.alt;
  large.className = picture.className;
  if (!box.open) box.showModal();
}

function near(step) {
  let next = shown;
  do next = (next + step + shots.length) % shots.length; while (!shots[next].offsetParent && next !== shown);
  show(next);
}

shots.forEach((picture, index) => picture.parentElement.addEventListener("click", () => show(index)));
box.addEventListener("click", (event) => {
  if (event.target === box) box.close();
  if (event.target.dataset.step) near(Number(event.target.dataset.step));
});
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") near(1);
  if (event.key === "ArrowLeft") near(-1);
});
box.addEventListener("close", () => shots[shown].parentElement.focus());

const filter = document.querySelector(".filter");
if (filter) {
  const [choice, count] = [filter.querySelector("select"), filter.querySelector("output")];
  const cards = [...document.querySelectorAll(".card")];
  const present = new Set(cards.map((card) => card.dataset.class));
  [...choice.options].forEach((option) => { if (option.value && !present.has(option.value)) option.remove(); });
  choice.addEventListener("change", () => {
    cards.forEach((card) => { card.hidden = Boolean(choice.value) && card.dataset.class !== choice.value; });
    count.textContent = `${cards.filter((card) => !card.hidden).length} of ${cards.length}`;
  });
  filter.hidden = present.size < 2;
}
