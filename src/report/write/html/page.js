'use strict';
(() => {
  // What a mark says stands in a <title>; shown here at once and where the pointer is.
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll('figure svg * > title')) {
    title.parentNode.setAttribute('data-tip', title.textContent);
    title.remove();
  }
  // The cells of a large matrix are no marks of their own: the place says which one it is.
  const cellAt = (cells, event) => {
    const pointer = new DOMPoint(event.clientX, event.clientY);
    const at = pointer.matrixTransform(cells.getScreenCTM().inverse());
    const [left, top, width, height] = cells.dataset.cells.split(' ').map(Number);
    const [row, column] = [(at.y - top) / height, (at.x - left) / width].map(Math.floor);
    const { rows, columns, values } = cells.dataset;
    const value = (values.split(';')[row] || '').split(',')[column];
    const [name, other] = [rows.split('\n')[row], columns.split('\n')[column]];
    return value === undefined ? '' : `${name} → ${other}\n${value || 'no value'}`;
  };
  const words = (event) => {
    const closest = (what) => event.target.closest && event.target.closest(what);
    const mark = closest('[data-tip]');
    if (mark) return mark.getAttribute('data-tip');
    const cells = closest('[data-cells]');
    return cells ? cellAt(cells, event) : '';
  };
  const show = (event) => {
    const said = words(event);
    tip.hidden = !said;
    if (!said) return;
    tip.textContent = said;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - width - 4)) + 'px';
    const below = event.clientY + 14;
    tip.style.top = (below + height > innerHeight ? event.clientY - height - 10 : below) + 'px';
  };
  document.addEventListener('pointermove', show);
  document.addEventListener('pointerdown', show);

  const save = (name, type, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const unpacked = (text) => {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(plain).text();
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-take]');
    if (!button) return;
    const section = button.closest('section');
    if (button.dataset.take === 'csv') {
      const numbers = section.querySelector('textarea');
      const keep = (text) => save(section.id + '.csv', 'text/csv', text);
      const refused = () => { button.textContent = 'CSV: the file beside this page'; };
      if (!('packed' in numbers.dataset)) keep(numbers.value);
      // An old browser cannot unpack.
      else Promise.resolve(numbers.value).then(unpacked).then(keep, refused);
      return;
    }
    const picture = button.closest('figure').querySelector('svg').cloneNode(true);
    for (const mark of picture.querySelectorAll('[data-tip]')) {
      const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
      title.textContent = mark.getAttribute('data-tip');
      mark.removeAttribute('data-tip');
      mark.prepend(title);
    }
    save(button.dataset.name + '.svg', 'image/svg+xml', picture.outerHTML);
  });

  // A head sorts its column: numbers by value, the rest as text; what has no value stays last.
  const sort = (head) => {
    const body = head.closest('table').tBodies[0];
    const column = head.cellIndex;
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const key = (row) => {
      const cell = row.cells[column];
      const value = cell.dataset.value;
      return value === undefined ? cell.textContent : Number(value);
    };
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
      const order = typeof x === 'number' ? x - y : x.localeCompare(y, 'en', { numeric: true });
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
  };
  for (const head of document.querySelectorAll('th')) {
    head.tabIndex = 0;
    head.addEventListener('click', () => sort(head));
    head.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        sort(head);
      }
    });
  }
})();
