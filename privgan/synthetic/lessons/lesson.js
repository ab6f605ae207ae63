"use strict";
// One picture at a time; all of them are in the table already, and nothing is asked for.
const at = (id) => document.getElementById(id);
const said = JSON.parse(at("said").textContent);
const rows = [...document.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("img")]);
const stages = [...document.querySelectorAll("thead th")].slice(1).map((cell) => cell.textContent);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const [patient, stage, changed, test] = ["patient", "stage", "changed", "test"].map(at);
const canvas = at("picture");
const paper = canvas.getContext("2d", { willReadFrequently: true });
const score = { right: 0, asked: 0 };
let asked = null; // patient and stage of the image in question, while the stage is hidden

function pixels(image) {
  paper.drawImage(image, 0, 0);
  return paper.getImageData(0, 0, canvas.width, canvas.height);
}

function difference(before, after) {
  const first = pixels(before).data;
  const whole = pixels(after);
  const data = whole.data;
  for (let place = 0; place < data.length; place += 4) {
    const grey = (data[place] + data[place + 1] + data[place + 2]) / 3;
    const change = (3 * (grey - (first[place] + first[place + 1] + first[place + 2]) / 3)) / 255;
    const part = Math.min(1, Math.abs(change));
    const colour = change > 0 ? [255, 150, 40] : [60, 140, 255];
    for (let channel = 0; channel < 3; channel += 1) {
      data[place + channel] = (1 - part) * 0.45 * grey + part * colour[channel];
    }
  }
  paper.putImageData(whole, 0, 0);
}

function show() {
  const [who, when] = asked ?? [Number(patient.value), Number(stage.value)];
  const image = rows[who][when];
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  if (changed.checked && !asked) difference(rows[who][0], image);
  else paper.drawImage(image, 0, 0);
  at("legend").hidden = !changed.checked || asked !== null;
  at("name").textContent = stages[when];
  stage.setAttribute("aria-valuetext", stages[when]);
  const words = asked ? said.hidden : filled(said.described, { patient: who + 1, stage: stages[when] });
  canvas.setAttribute("aria-label", words);
}

function ask() {
  asked = [Math.floor(Math.random() * rows.length), Math.floor(Math.random() * stages.length)];
  at("quiz").reset();
  at("check").disabled = false;
  show();
}

function examined() {
  at("quiz").hidden = !test.checked;
  at("all").hidden = test.checked;
  for (const control of [patient, stage, changed]) control.disabled = test.checked;
  at("mover").hidden = test.checked;
  at("verdict").textContent = "";
  if (test.checked) ask();
  else {
    asked = null;
    show();
  }
}

at("quiz").addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = at("quiz").querySelector("input:checked");
  if (!chosen || at("check").disabled) return;
  const right = Number(chosen.value) === asked[1];
  score.asked += 1;
  score.right += right ? 1 : 0;
  at("check").disabled = true;
  const words = filled(right ? said.right : said.wrong, { stage: stages[asked[1]] });
  at("verdict").textContent = `${words} ${filled(said.score, score)}`;
});
at("next").addEventListener("click", () => {
  at("verdict").textContent = "";
  ask();
});
for (const control of [patient, stage, changed]) control.addEventListener("input", show);
test.addEventListener("change", examined);
canvas.addEventListener("pointermove", (event) => {
  if (asked || event.buttons === 0) return;
  const box = canvas.getBoundingClientRect();
  const part = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
  stage.value = Math.floor(part * stages.length);
  show();
});
at("viewer").hidden = false;
at("all").open = false;
Promise.all(rows.flat().map((image) => image.decode())).then(show);
