(function () {
  var boxes = document.querySelectorAll('.bayar:not([data-ready])');
  function copied(button) {
    var before = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(function () { button.textContent = before; }, 2000);
  }
  // Where the page is not served over TLS there is no clipboard of the newer kind.
  function byHand(text) {
    var area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand('copy');
    area.remove();
    return done;
  }
  function copy(button) {
    var text = button.dataset.copy;
    if (!navigator.clipboard) {
      if (byHand(text)) copied(button);
      return;
    }
    navigator.clipboard.writeText(text).then(
      function () { copied(button); },
      function () { if (byHand(text)) copied(button); }
    );
  }
  function two(number) { return (number < 10 ? '0' : '') + number; }
  function tick(clock) {
    var left = Math.max(0, Number(clock.dataset.until) - Math.floor(Date.now() / 1000));
    clock.textContent = left === 0 ? clock.dataset.over
      : two(Math.floor(left / 3600)) + ':' + two(Math.floor(left / 60) % 60) + ':' + two(left % 60);
    return left > 0;
  }
  boxes.forEach(function (box) {
    box.dataset.ready = '1';
    box.querySelectorAll('.bayar-copy').forEach(function (button) {
      button.hidden = false;
      button.addEventListener('click', function () { copy(button); });
    });
    box.querySelectorAll('.bayar-left').forEach(function (clock) {
      clock.hidden = false;
      var timer = tick(clock) && setInterval(function () { if (!tick(clock)) clearInterval(timer); }, 1000);
    });
  });
})();
