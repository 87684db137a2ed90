document.body.dataset.isFramed = String(parent !== window)
if (parent !== window) {
  parent.postMessage({ type: 'navigated', path: location.pathname }, location.origin)
}
