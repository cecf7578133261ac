// What a printed list has above its rows: the race's name and its facts.

class PrintHead {
  constructor(root) {
    const box = put(root, 'div', 'print-head');
    this._title = put(box, 'div', 'print-title');
    this._facts = put(box, 'p', 'print-facts');
    this._choices = put(box, 'p', 'print-choices');
  }

  // The name of the race, and a list of facts.
  write({ title, facts }) {
    write(this._title, title);
    write(this._facts, facts.join(' · '));
  }

  // What is listed, and in which order.
  writeChoices(sentence) {
    write(this._choices, sentence);
  }
}
