'use strict';
// Fills the page with controls, keeps what is decided in them, and gives it back as a file. Sends nothing anywhere.
(() => {
  const main = document.getElementById('rows');
  const words = (text) => text.split(' ').filter(Boolean);
  const kinds = words(main.dataset.kinds), statuses = words(main.dataset.statuses), roles = words(main.dataset.roles);
  const commentMax = Number(main.dataset.commentMax);
  const rows = [];
  let isUnsaved = false;
  let undo = null;

  const FORMS = {
    carry: 'carry it, in this way', rename: 'under another name', team: 'it is this team of Gorgias',
    user: 'it is this user of Gorgias', placeholder: 'give it to the service user', status: 'with this ticket status',
    role: 'with this role',
  };
  const PLACES = {
    'new-field': 'a new field with this label', field: 'a field that is there', 'opt-out': 'opted out, when the value is one of these words',
    'lead-card': 'the lead card alone',
  };

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) element.setAttribute(name, '');
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function select(id, options) {
    const list = make('select', { id });
    for (const [value, text] of options) list.append(make('option', { value }, text));
    return list;
  }

  function labelled(text, control, className) {
    const label = make('label', className ? { class: className } : {});
    if (className === 'beside') label.append(control, text); else label.append(text + ' ', control);
    return label;
  }

  class Row {
    constructor(article, number) {
      this.article = article;
      this.id = article.dataset.row;
      this.name = article.querySelector('h3').textContent;
      this.takes = words(article.dataset.takes);
      this.places = words(article.dataset.places);
      this.isTyped = article.dataset.typed === 'true';
      this.text = article.textContent.toLowerCase();
      this.build(number);
      const given = article.dataset;
      this.set({ choice: given.choice, reason: given.reason, value: given.value, type: given.kind, into: given.into,
        comment: given.comment, seen: given.seen === 'yes' });
    }

    build(number) {
      const id = (what) => `${what}-${number}`;
      const forms = this.takes.filter((form) => form !== 'leave');
      this.ways = {};
      const ways = [['unseen', 'not looked at'], ['accept', 'accept what is proposed']];
      if (forms.length) ways.push(['change', 'something else']);
      if (this.takes.includes('leave')) ways.push(['leave', 'leave it out']);
      const line = make('div', { class: 'line', role: 'presentation' });
      for (const [way, text] of ways) {
        const radio = make('input', { type: 'radio', name: id('way'), value: way });
        this.ways[way] = radio;
        line.append(labelled(text, radio, 'beside'));
      }
      this.form = select(id('form'), forms.map((form) => [form, FORMS[form] || form]));
      this.kind = select(id('type'), [['', 'as proposed'], ...kinds.map((kind) => [kind, kind])]);
      this.into = select(id('into'), [['', 'as proposed'], ...this.places.map((place) => [place, PLACES[place]])]);
      this.reason = make('input', { id: id('reason'), type: 'text', maxlength: 500, autocomplete: 'off' });
      this.value = make('input', { id: id('value'), type: 'text', autocomplete: 'off' });
      this.several = make('textarea', { id: id('several'), rows: 3 });
      this.word = select(id('word'), []);
      this.comment = make('textarea', { id: id('comment'), maxlength: commentMax, rows: 2 });
      this.parts = {
        form: labelled('What instead', this.form), kind: labelled('Type', this.kind), into: labelled('Where', this.into),
        value: labelled('Value', this.value), several: labelled('Words that mean opted out, one a line', this.several),
        word: labelled('Which', this.word), reason: labelled('Reason', this.reason),
      };
      const details = make('div', { class: 'line' }, ...Object.values(this.parts));
      this.next = make('button', { type: 'button' }, 'Accept and go on');
      this.box = make('fieldset', { class: 'answer' }, make('legend', {}, `Decision for ${this.name}`), line, details,
        labelled('Comment', this.comment), make('p', {}, this.next));
      this.article.append(this.box);
      this.box.addEventListener('input', () => { this.refresh(); changed(); });
      this.next.addEventListener('click', () => {
        if (this.way() === 'unseen') this.ways.accept.checked = true;
        this.refresh();
        changed();
        goOn(this);
      });
    }

    way() { return Object.keys(this.ways).find((way) => this.ways[way].checked) || 'unseen'; }

    // Shows the controls that the decision needs, and no other.
    refresh() {
      const way = this.way(), form = way === 'change' ? this.form.value : '', into = this.into.value;
      const show = (part, is) => { this.parts[part].hidden = !is; };
      const place = form === 'carry' ? into : '';
      show('form', way === 'change' && this.form.options.length > 1);
      show('kind', form === 'carry' && this.isTyped);
      show('into', form === 'carry' && this.places.length > 0);
      show('several', place === 'opt-out');
      show('value', ['rename', 'team', 'user'].includes(form) || ['new-field', 'field'].includes(place));
      show('word', ['status', 'role'].includes(form));
      show('reason', way === 'leave' || form === 'placeholder' || form === 'carry');
      const list = ['team', 'user'].includes(form) ? form : place === 'field' ? 'field' : '';
      if (list) this.value.setAttribute('list', `list-${list}`); else this.value.removeAttribute('list');
      const label = (part, text) => { this.parts[part].firstChild.textContent = `${text} `; };
      label('reason', form === 'carry' ? 'What it is needed for' : 'Reason');
      label('value', list ? 'Id at Gorgias' : form === 'rename' ? 'Name' : 'Label');
      const offered = form === 'status' ? statuses : form === 'role' ? roles : [];
      if (offered.join() !== [...this.word.options].map((option) => option.value).join()) {
        this.word.replaceChildren(...offered.map((word) => make('option', { value: word }, word)));
      }
      const wrong = this.wrong();
      this.box.classList.toggle('wrong', wrong !== '');
      for (const control of [this.reason, this.value, this.several]) {
        control.toggleAttribute('aria-invalid', false);
        if (wrong === control.id) control.setAttribute('aria-invalid', 'true');
      }
    }

    // The id of a control that has to be filled in, or nothing.
    wrong() {
      const way = this.way(), form = way === 'change' ? this.form.value : '';
      if ((way === 'leave' || form === 'placeholder') && !this.reason.value.trim()) return this.reason.id;
      const isShown = (part) => !this.parts[part].hidden;
      if (isShown('value') && !this.value.value.trim()) return this.value.id;
      if (isShown('value') && this.value.hasAttribute('list') && !/^[0-9]+$/.test(this.value.value.trim())) return this.value.id;
      if (isShown('several') && !this.several.value.trim()) return this.several.id;
      return '';
    }

    set(answer) {
      const choice = answer.choice === 'as-proposed' ? '' : answer.choice || '';
      const way = choice === '' ? (answer.seen ? 'accept' : 'unseen') : choice === 'leave' ? 'leave' : 'change';
      (this.ways[way] || this.ways.unseen).checked = true;
      if (way === 'change') this.form.value = choice;
      this.kind.value = answer.type || '';
      this.into.value = answer.into || '';
      this.reason.value = answer.reason || '';
      this.comment.value = answer.comment || '';
      this.value.value = '';
      this.several.value = '';
      this.refresh();
      if (answer.into === 'opt-out') this.several.value = answer.value || '';
      else if (!this.parts.word.hidden) this.word.value = answer.value || '';
      else this.value.value = answer.value || '';
      this.wasSeen = Boolean(answer.seen);
      this.refresh();
    }

    // The same cells as in every other view of the mapping.
    answer() {
      const way = this.way();
      const shown = (part, control) => (this.parts[part].hidden ? '' : control.value.trim());
      const choice = way === 'leave' ? 'leave' : way === 'change' ? this.form.value : '';
      const place = choice === 'carry' ? shown('into', this.into) : '';
      return {
        row: this.id, choice, reason: shown('reason', this.reason),
        value: place === 'opt-out' ? shown('several', this.several) : shown('word', this.word) || shown('value', this.value),
        type: shown('kind', this.kind), into: place, comment: this.comment.value.trim(), seen: way !== 'unseen',
      };
    }

    isSaid() { const a = this.answer(); return a.choice !== '' || a.comment !== '' || a.seen; }
    isChanged() { const a = this.answer(); return a.choice !== '' || a.comment !== ''; }
  }

  function changed() {
    isUnsaved = true;
    tell();
  }

  function tell() {
    const seen = rows.filter((row) => row.way() !== 'unseen').length;
    const open = rows.filter((row) => row.article.dataset.state === 'open' && !row.answer().choice).length;
    document.getElementById('progress').textContent =
      `${seen} of ${rows.length} rows are decided. ${open} open rows have no decision yet; the mapping cannot be approved before they have one.`;
  }

  function fits(row) {
    const state = document.getElementById('filter-state').value, data = row.article.dataset;
    const object = document.getElementById('filter-object').value;
    const text = document.getElementById('filter-text').value.trim().toLowerCase();
    const byState = {
      all: true, open: data.state === 'open', unseen: row.way() === 'unseen', lossy: data.state === 'left',
      low: data.low === 'true', changed: row.isChanged(),
    };
    return byState[state] && (object === '' || row.article.closest('section').dataset.object === object)
      && (text === '' || row.text.includes(text));
  }

  function filter() {
    let shown = 0;
    for (const row of rows) {
      const is = fits(row);
      row.article.hidden = !is;
      if (is) shown += 1;
    }
    for (const section of main.querySelectorAll('section.kind')) {
      section.hidden = !section.querySelector('article:not([hidden])');
    }
    document.getElementById('filter-count').textContent = `${shown} of ${rows.length} rows are shown.`;
  }

  function goOn(from) {
    const start = from ? rows.indexOf(from) + 1 : 0;
    const order = rows.slice(start).concat(rows.slice(0, start));
    const next = order.find((row) => !row.article.hidden && row.way() === 'unseen');
    if (next) { next.article.focus(); next.article.scrollIntoView({ block: 'start' }); }
    else document.getElementById('reviewer').focus();
  }

  function acceptSure() {
    undo = rows.map((row) => row.answer());
    let count = 0;
    for (const row of rows) {
      if (row.article.dataset.sure !== 'true' || row.way() !== 'unseen') continue;
      row.ways.accept.checked = true;
      if (!row.comment.value.trim()) row.comment.value = 'Accepted together with all of high confidence';
      row.refresh();
      count += 1;
    }
    document.getElementById('undo-sure').disabled = false;
    document.getElementById('filter-count').textContent = `${count} rows were accepted together.`;
    changed();
  }

  function undoSure() {
    if (!undo) return;
    undo.forEach((answer, index) => rows[index].set(answer));
    undo = null;
    document.getElementById('undo-sure').disabled = true;
    document.getElementById('filter-count').textContent = 'The rows are as they were before.';
    changed();
  }

  function problem(text) { document.getElementById('problem').textContent = text; }

  function download() {
    const reviewer = document.getElementById('reviewer');
    const wrong = rows.find((row) => row.wrong() !== '');
    if (wrong) {
      problem(`The decision for ${wrong.name} is not complete: something has to be filled in.`);
      wrong.article.hidden = false;
      wrong.article.closest('section').hidden = false;
      document.getElementById(wrong.wrong()).focus();
      return;
    }
    if (!reviewer.value.trim()) {
      problem('Fill in your name: it is kept with the decisions.');
      reviewer.focus();
      return;
    }
    problem('');
    const decisions = {
      version: '1', proposal: main.dataset.proposal, answers: Number(main.dataset.answers), reviewer: reviewer.value.trim(),
      decided_at: new Date().toISOString(), rows: rows.filter((row) => row.isSaid()).map((row) => row.answer()),
    };
    const blob = new Blob([JSON.stringify(decisions, null, 2), '\n'], { type: 'application/json' });
    const link = make('a', { href: URL.createObjectURL(blob), download: 'decisions.json' });
    document.body.append(link);
    link.click();
    link.remove();
    isUnsaved = false;
    document.getElementById('progress').textContent = `${decisions.rows.length} rows were written to decisions.json.`;
  }

  async function load(file) {
    if (!file) return;
    let decisions;
    try { decisions = JSON.parse(await file.text()); } catch { problem('This file holds no decisions.'); return; }
    if (decisions.proposal !== main.dataset.proposal) {
      problem('These decisions were made for another proposal. Nothing was changed.');
      return;
    }
    problem('');
    const byRow = new Map((decisions.rows || []).map((answer) => [answer.row, answer]));
    for (const row of rows) row.set(byRow.get(row.id) || {});
    document.getElementById('reviewer').value = decisions.reviewer || '';
    changed();
    filter();
  }

  document.querySelectorAll('article.row').forEach((article, index) => rows.push(new Row(article, index)));
  document.getElementById('no-script').hidden = true;
  document.querySelectorAll('.needs-script').forEach((part) => { part.hidden = false; });
  for (const id of ['filter-state', 'filter-object', 'filter-text']) document.getElementById(id).addEventListener('input', filter);
  document.getElementById('next-open').addEventListener('click', () => goOn(null));
  document.getElementById('accept-sure').addEventListener('click', acceptSure);
  document.getElementById('undo-sure').addEventListener('click', undoSure);
  document.getElementById('download').addEventListener('click', download);
  document.getElementById('load').addEventListener('change', (event) => load(event.target.files[0]));
  addEventListener('beforeunload', (event) => { if (isUnsaved) event.preventDefault(); });
  filter();
  tell();
})();
