/** Other spellings of a path, by what they do; some are the same path for the router, some for a careless server. */
export function spellingsOf(path: string): Readonly<Record<string, string>> {
  const segments = path.slice(1).split('/')
  const last = segments.length - 1
  const guardAt = Math.max(0, last - 1)
  const joined = (parts: readonly string[]): string => `/${parts.join('/')}`
  const withSegment = (at: number, text: (segment: string) => string): string =>
    joined(segments.map((each, index) => (index === at ? text(each) : each)))
  const withSlash = (slash: string, at: number): string =>
    `/${segments.slice(0, at).join('/')}${slash}${segments.slice(at).join('/')}`
  const spelled: Record<string, string> = {
    'in capitals': path.toUpperCase(),
    'with all letters encoded': path.replace(/[a-z]/g, (letter) => `%${hex(letter)}`),
    'with one capital': withSegment(guardAt, (text) => text[0]?.toUpperCase() + text.slice(1)),
    'with a capital at its end': withSegment(last, (text) => text.toUpperCase()),
    'with two slashes in front': `/${path}`,
    'with three slashes in front': `//${path}`,
    'with a host in front': `//host.example${path}`,
    'with a slash at its end': `${path}/`,
    'with two slashes at its end': `${path}//`,
    'with a dot at its end': `${path}.`,
    'with a dot segment at its end': `${path}/.`,
    'with an encoded dot segment at its end': `${path}/%2e`,
    'with a way back at its end': `${path}/x/..`,
    'with an encoded way back at its end': `${path}/x/%2e%2e`,
    'with a half encoded way back at its end': `${path}/x/.%2e`,
    'with a way back encoded twice': `${path}/x/%252e%252e`,
    'with parameters': `${path};x=1`,
    'with parameters of a session': `${path};jsessionid=1`,
    'with a semicolon': `${path};`,
    'with an encoded semicolon': `${path}%3b`,
    'with parameters in the middle': withSegment(guardAt, (text) => `${text};x=1`),
    'with parameters in its first segment': withSegment(0, (text) => `${text};x=1`),
    'with a question mark that is encoded': `${path}%3fx=1`,
    'with a fragment': `${path}#x`,
    'with an encoded fragment': `${path}%23x`,
    'with a space that is encoded': `${path}%20`,
    'with a plus': `${path}+`,
    'with a tab that is encoded': `${path}%09`,
    'with a line break that is encoded': `${path}%0d%0a`,
    'with NUL at its end': `${path}%00`,
    'with NUL and a suffix': `${path}%00.css`,
    'with a suffix that is not looked at': `${path}.json`,
    'with a suffix behind a semicolon': `${path};.css`,
    'with a broken percent sign': `${path}%`,
    'with a broken percent sign in the middle': withSegment(guardAt, (text) => `%zz${text}`),
    'with a letter of two bytes that is none': withSegment(guardAt, (text) => `${text}%c0%80`),
    'with a slash of two bytes': withSlash('%c0%af', last),
    'with a wide slash': withSlash('%ef%bc%8f', last),
    'with wide letters': withSegment(
      guardAt,
      (text) => `%ef%bd%${(0x40 + (text.charCodeAt(0) - 0x40)).toString(16)}${text.slice(1)}`,
    ),
    'with a mark of direction': withSegment(guardAt, (text) => `${text}%e2%80%8b`),
    'with %u': withSegment(guardAt, (text) => `%u00${text.charCodeAt(0).toString(16)}${text.slice(1)}`),
    'with a letter encoded twice': withSegment(guardAt, (text) => `%25${hex(text)}${text.slice(1)}`),
    'below a public path, and back': `/health/..${path}`,
    'below a public path, and back, encoded': `/health/%2e%2e${path}`,
    'below a public path, and back, with an encoded slash': `/health%2f..${path}`,
    'below a public path, and back, behind a semicolon': `/health/..;${path}`,
    'below a public path, with parameters': `/health;${path}`,
    'below a public path of the same plugin': `/api/v1/plugins/vault/open/..${path.replace('/api/v1/plugins/vault', '')}`,
    'below a public path of the server behind': `/site/public/../../${path.slice(1)}`,
  }
  for (const at of [guardAt, last].filter((each) => each > 0)) {
    const where = at === last ? 'last' : 'middle'
    Object.assign(spelled, {
      [`with two slashes, ${where}`]: withSlash('//', at),
      [`with an encoded slash, ${where}`]: withSlash('%2f', at),
      [`with an encoded slash in capitals, ${where}`]: withSlash('%2F', at),
      [`with a slash encoded twice, ${where}`]: withSlash('%252f', at),
      [`with a slash and an encoded one, ${where}`]: withSlash('/%2f', at),
      [`with a backslash, ${where}`]: withSlash('\\', at),
      [`with an encoded backslash, ${where}`]: withSlash('%5c', at),
      [`with a slash and a backslash, ${where}`]: withSlash('/\\', at),
      [`with a dot segment, ${where}`]: withSlash('/./', at),
      [`with an encoded dot segment, ${where}`]: withSlash('/%2e/', at),
      [`with a way back, ${where}`]: withSlash('/x/../', at),
      [`with an encoded way back, ${where}`]: withSlash('/x/%2e%2E/', at),
      [`with a way back and parameters, ${where}`]: withSlash('/x/..;/', at),
      [`with a way back and encoded slashes, ${where}`]: withSlash('/x/..%2f', at),
      [`with a way back, all encoded, ${where}`]: withSlash('/x%2f%2e%2e%2f', at),
      [`with a way back by backslashes, ${where}`]: withSlash('/x/..%5c', at),
      [`with an empty parameter, ${where}`]: withSlash('/;/', at),
    })
  }
  return spelled
}

/** Spellings that are the very same path for the router. */
export function equalSpellingsOf(path: string): Readonly<Record<string, string>> {
  return {
    'as it is': path,
    'with an encoded letter': path.replace(/\/([a-z])(?=[^/]*$)/, (_, letter: string) => `/%${hex(letter)}`),
    'with encoded letters in capitals': path.replace(
      /[j-o](?=[^/]*\/[^/]*$)/g,
      (letter) => `%${hex(letter).toUpperCase()}`,
    ),
    'with a query': `${path}?x=1`,
    'with a query that looks like a public path': `${path}?/health`,
    'with a query that goes back': `${path}?/../../health`,
  }
}

function hex(text: string): string {
  return text.charCodeAt(0).toString(16).padStart(2, '0')
}
