import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Answer, createHttpClient, type Sending } from './http-client.js'
import { createWorkplace, type Ended, type ServerProcess, type Workplace } from './server-process.js'

const token = 'an-admin-token-for-tests-of-the-gateway-0123456789'

/** The headers of an admin of such a process. */
export const adminHeaders = { authorization: `Bearer ${token}` } as const

/** A server process without plugins whose gateway is watched. */
export interface GatewayProcess extends ServerProcess {
  send(method: string, path: string, sending?: Sending): Promise<Answer>
  /** What an admin gets of a path below `/gateway/api`; asserts the status 200. */
  read<T = Record<string, unknown>>(path: string): Promise<T>
  /** Ends the process as an operator does, and waits for its end. */
  stop(): Promise<Ended>
}

/** A folder with a configuration, and the processes that serve it. */
export interface GatewayPlace {
  readonly place: Workplace
  /** Starts `serve` with these variables. */
  serve(environment?: Readonly<Record<string, string>>): Promise<GatewayProcess>
  /** Starts `serve` where it is to fail, and gives how it ended. */
  refuse(environment?: Readonly<Record<string, string>>): Promise<Ended>
}

/** Makes a folder whose `config.json` has this section `gateway`; none when it is missing. */
export async function createGatewayPlace(test: TestContext, gateway?: unknown): Promise<GatewayPlace> {
  const place = await createWorkplace(test)
  await place.write({ 'config.json': JSON.stringify(gateway === undefined ? {} : { gateway }) })
  const settings = {
    MODULACMS__PLUGIN_ENABLED: 'false',
    // Nothing runs in them.
    MODULACMS__PLUGIN_EXECUTORS: '1',
    MODULACMS_ADMIN_TOKEN: token,
  }
  return {
    place,
    refuse: (environment = {}) => place.run(['serve', '--port', '0'], { ...settings, ...environment }),
    async serve(environment = {}) {
      const server = await place.serve([], { ...settings, ...environment })
      const client = createHttpClient(server.url)
      test.after(() => client.close())
      return {
        ...server,
        send: client.send,
        async read<T>(path: string) {
          const answer = await client.send('GET', `/gateway/api${path}`, { headers: adminHeaders })
          assert.equal(answer.status, 200, answer.text)
          return answer.json<T>()
        },
        async stop() {
          client.close()
          server.process.kill('SIGTERM')
          return server.ended
        },
      }
    },
  }
}
