// Lets a reader sort and filter the table of runs, shows in the charts which runs are left, and opens
// what a link leads to.
// The page is complete without it.
(() => {
  'use strict';
  const textOf = (cell) => cell.textContent.trim();
  // What a cell stands for: what its <data> says, else its words.
  const wordsOf = (cell) => (cell.querySelector('data')?.value ?? textOf(cell)).toLowerCase();
  const valueOf = (cell) => {
    const data = cell.querySelector('data');
    return data && !Number.isNaN(Number(data.value)) ? Number(data.value) : null;
  };
  const isEmpty = (cell) => ['', '–', 'not set'].includes(textOf(cell));

  // What has no value comes last, in both orders.
  function compared(a, b, sign) {
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x !== null && y !== null) return sign * (x - y);
    if (x !== null || y !== null) return x !== null ? -1 : 1;  // numbers before words
    return sign * textOf(a).localeCompare(textOf(b), 'en', { numeric: true });
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    const headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener('click', () => {
        const isNumber = header.classList.contains('n');
        const was = header.getAttribute('aria-sort');
        // What is best comes first: numbers from high to low.
        const order = was === null ? (isNumber ? 'descending' : 'ascending')
                                   : was === 'ascending' ? 'descending' : 'ascending';
        headers.forEach((other) => other.removeAttribute('aria-sort'));
        header.setAttribute('aria-sort', order);
        const sign = order === 'ascending' ? 1 : -1;
        const rows = [...body.rows];
        rows.sort((a, b) => compared(a.cells[column], b.cells[column], sign));
        body.append(...rows);
      });
    });
  }

  // ---- the filter: words, and conditions on columns --------------------------------------------
  // test_accuracy, "test accuracy" and Test Accuracy are one name; val_accuracy is "val. accuracy".
  const keyOf = (name) => name.toLowerCase().replace(/\.(?=\s|$)/g, '').replace(/[\s_]/g, '');
  const squeezed = (text) => text.replace(/\s/g, '');  // [2,3] is [2, 3]
  const unquoted = (text) => text.replace(/^(["'])(.*)\1$/, '$2');

  // A column's name is enough as far as it is clear, and its whole key (train.optimizer.momentum)
  // is not too much.
  function columnOf(name, keys) {
    const key = keyOf(name);
    const exact = keys.indexOf(key);
    if (exact >= 0) return { column: exact };
    const shorter = keys.findIndex((each) => each && key.endsWith('.' + each));
    if (shorter >= 0) return { column: shorter };
    const all = keys.flatMap((each, column) => each.includes(key) ? [column] : []);
    return all.length === 1 ? { column: all[0] } : { all };
  }

  const kSigns = {
    '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b,
  };

  function holds(cell, sign, wanted) {
    const value = valueOf(cell);
    const number = Number(wanted);
    if (sign in kSigns) return value !== null && !isEmpty(cell) && kSigns[sign](value, number);
    const isSame = value !== null && !Number.isNaN(number) && value === number;
    const reads = [textOf(cell).toLowerCase(), wordsOf(cell)].map(squeezed);
    const isEqual = isSame || reads.includes(squeezed(wanted));
    return sign === '=' ? isEqual : !isEqual;
  }

  // [name, sign, value] of conditions, [word] of words. A name may have blanks where it is a column's;
  // a value is a list in brackets, a text in quotes, or goes up to the next blank or comma.
  function termsOf(text, names) {
    const escaped = [...names].sort((a, b) => b.length - a.length).filter((name) => name.includes(' '))
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '[\\s_]+'));
    const name = [...escaped, '[^\\s,<>=!"\']+'].join('|');
    const value = '\\[[^\\]]*\\]?|"[^"]*"?|\'[^\']*\'?|[^\\s,]*';
    const term = new RegExp(`(${name})\\s*(<=|>=|!=|==|<|>|=)\\s*(${value})|"([^"]*)"?|([^\\s,]+)`, 'g');
    return [...text.matchAll(term)]
      .map(([, column, sign, wanted, quoted, word]) => sign ? [column, sign === '==' ? '=' : sign, unquoted(wanted)]
                                                          : [quoted ?? word])
      .filter(([word, sign]) => sign || (word && word !== 'and'));
  }

  // Whether a row is left, or what is wrong with a term; null for one that is not written to its end.
  function conditionOf([name, sign, wanted], titles) {
    if (!sign) return { test: (row) => row.textContent.toLowerCase().includes(name) };
    if (wanted === '') return null;
    const { column, all } = columnOf(name, titles.map(keyOf));
    if (column === undefined && all.length === 0) return { problem: `no column “${name}”` };
    if (column === undefined) return { problem: `“${name}” may be ${all.map((each) => titles[each]).join(' or ')}` };
    if (sign in kSigns && Number.isNaN(Number(wanted))) return { problem: `“${wanted}” is no number` };
    return { test: (row) => holds(row.cells[column], sign, wanted) };
  }

  function showLeft(rows) {
    const out = new Set();
    let hasRuns = false;
    for (const row of rows) {
      const run = row.querySelector('[data-run]');
      if (!run) continue;
      hasRuns = true;
      if (row.hidden) out.add(run.dataset.run);
    }
    if (!hasRuns) return;
    for (const mark of document.querySelectorAll('svg [data-run]')) {
      mark.classList.toggle('out', out.has(mark.dataset.run));
    }
  }

  function makeFilter(frame, table) {
    const rows = [...table.tBodies[0].rows];
    const titles = [...table.tHead.rows[0].cells].map((cell) => textOf(cell).toLowerCase());
    const label = document.createElement('label');
    label.textContent = 'Filter ';
    const input = document.createElement('input');
    input.type = 'search';
    input.placeholder = 'words or column=value';
    input.spellcheck = false;
    const count = document.createElement('span');
    count.setAttribute('role', 'status');
    const help = document.createElement('span');
    help.className = 'help';
    help.textContent = 'As: finished test_accuracy>=0.5 state!=failed. A click on a column’s title sorts by it.';
    const tools = document.createElement('p');
    tools.className = 'filter';
    label.append(input);
    tools.append(label, count, help);
    frame.before(tools);
    const apply = () => {
      const conditions = termsOf(input.value.toLowerCase(), titles)
        .map((term) => conditionOf(term, titles)).filter((each) => each !== null);
      const problems = conditions.filter((each) => each.problem).map((each) => each.problem);
      let left = 0;
      for (const row of rows) {
        // Nothing satisfies a condition that cannot be read.
        row.hidden = problems.length > 0 || !conditions.every(({ test }) => test(row));
        left += row.hidden ? 0 : 1;
      }
      count.textContent = [`${left} of ${rows.length}`, ...problems].join('; ');
      count.classList.toggle('warn', problems.length > 0);
      showLeft(rows);
    };
    input.addEventListener('input', apply);
    apply();
  }

  // The run under the pointer, in all charts.
  function pointOut(table) {
    const point = (target, isOn) => {
      const row = target.closest('tr');
      const run = row && row.querySelector('[data-run]');
      if (!run) return;
      for (const mark of document.querySelectorAll(`svg [data-run="${run.dataset.run}"]`)) {
        mark.classList.toggle('on', isOn);
        if (isOn && mark.tagName === 'path') mark.parentNode.append(mark);
      }
    };
    table.tBodies[0].addEventListener('pointerover', (event) => point(event.target, true));
    table.tBodies[0].addEventListener('pointerout', (event) => point(event.target, false));
  }

  // A link to a run leads to it, also where it is folded.
  function openTarget() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const folds = [];
    for (let each = target; each; each = each.parentElement) {
      if (each.localName === 'details' && !each.open) folds.push(each);
    }
    for (const each of folds) each.open = true;
    if (folds.length > 0) target.scrollIntoView();
  }
  window.addEventListener('hashchange', openTarget);
  openTarget();

  for (const frame of document.querySelectorAll('.sortable')) {
    const table = frame.querySelector('table');
    if (!table || !table.tHead) continue;
    makeFilter(frame, table);
    makeSortable(table);
    pointOut(table);
  }
})();
