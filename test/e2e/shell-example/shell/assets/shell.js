import { apps } from '../menu.js'

const frame = document.querySelector('iframe')

/** Shows the app of the present path; the root shows the first one. */
function show() {
  const { pathname, search } = location
  frame.src = pathname === '/' ? `/${apps[0]}` : pathname + search
}

for (const app of apps) {
  const button = document.createElement('button')
  button.textContent = app
  button.addEventListener('click', () => {
    history.pushState(null, '', `/${app}`)
    show()
  })
  document.querySelector('nav').append(button)
}

addEventListener('popstate', show)
addEventListener('message', ({ data, origin, source }) => {
  if (origin !== location.origin || source !== frame.contentWindow) return
  if (data?.type === 'navigated') history.replaceState(null, '', data.path)
})

show()
