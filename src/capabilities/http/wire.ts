/** Who is calling, on authenticated routes; what `req.user` shows to Lua. */
export interface RequestUser {
  readonly id: string
  readonly username: string
  readonly role: string
  /** What `req.identity` shows, as JSON. */
  readonly identity: string
}

/** An HTTP request on its way to a Lua handler. */
export interface WireRequest {
  /** Key of the registered route, e.g. `GET /tasks/{id}`. */
  readonly routeKey: string
  readonly method: string
  /** Decoded URL path without the query. */
  readonly path: string
  /** Raw query string without the question mark. */
  readonly query: string
  /** As Node gives them: name, value, name, value. Credentials of the host are already left out. */
  readonly rawHeaders: readonly string[]
  readonly params: Readonly<Record<string, string>>
  readonly clientIp: string
  /** Undefined on public routes without a valid credential. */
  readonly user: RequestUser | undefined
}

/** An HTTP response of a Lua handler, checked and encoded in the executor. */
export interface WireResponse {
  readonly status: number
  /** Name, value, name, value; blocked names are gone, Content-Type is always there when there is a body. */
  readonly headers: readonly string[]
  readonly body: string | Uint8Array
}

const separator = '\n'

/** Makes the flat text of a request; no field can contain a line feed, which separates them. */
export function encodeRequest(request: WireRequest): string {
  const { user } = request
  const fields = [
    request.routeKey,
    request.method,
    request.path.includes(separator) ? JSON.stringify(request.path) : request.path,
    request.query,
    request.clientIp,
    user === undefined ? '' : JSON.stringify([user.id, user.username, user.role, user.identity]),
    hasKeys(request.params) ? JSON.stringify(request.params) : '',
    ...request.rawHeaders,
  ]
  return fields.join(separator)
}

function hasKeys(object: Readonly<Record<string, string>>): boolean {
  for (const _key in object) return true
  return false
}

/** Number of fields of `encodeRequest` in front of the headers. */
const fixedFields = 7

/** Reads what `encodeRequest` made. */
export function decodeRequest(text: string): WireRequest {
  const fields = text.split(separator)
  const [routeKey = '', method = '', path = '', query = '', clientIp = '', user = '', params = ''] = fields
  return {
    routeKey,
    method,
    path: path.startsWith('"') ? (JSON.parse(path) as string) : path,
    query,
    clientIp,
    user: user === '' ? undefined : decodeUser(user),
    params: params === '' ? {} : (JSON.parse(params) as Record<string, string>),
    rawHeaders: fields.slice(fixedFields),
  }
}

function decodeUser(text: string): RequestUser {
  const [id = '', username = '', role = '', identity = '{}'] = JSON.parse(text) as string[]
  return { id, username, role, identity }
}

/** Flattens a response for the way back: status, headers as one text, body. */
export function encodeResponse(response: WireResponse): unknown[] {
  return [response.status, response.headers.join(separator), response.body]
}

/** Reads what `encodeResponse` made. */
export function decodeResponse(result: readonly unknown[]): WireResponse {
  const [status, headers, body] = result as [number, string, string | Uint8Array]
  return { status, headers: headers === '' ? [] : headers.split(separator), body }
}
