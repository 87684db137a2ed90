import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Cors } from './cors.js'

const texts = Type.Array(Type.String())

const ruleSchema = Type.Object({
  id: Type.String({
    description: '`config` for the rule of the configuration, which cannot be changed here.',
  }),
  name: Type.String(),
  origins: texts,
  methods: texts,
  allowedHeaders: texts,
  exposedHeaders: texts,
  credentials: Type.Boolean(),
  maxAge: Type.Integer({ description: 'Seconds that browsers may remember a preflight.' }),
  createdAt: Type.Integer({ description: 'Milliseconds since 1970.' }),
  source: Type.String({ enum: ['config', 'database'] }),
})

const idSchema = Type.Object({ id: Type.String() })

const failureSchema = Type.Object({ error: Type.String(), code: Type.String() })

const tags = ['Gateway']

const list = Type.Optional(
  Type.Union([texts, Type.String()], { description: 'A list, or a text with commas or spaces between.' }),
)

const bodySchema = Type.Object({
  name: Type.String(),
  origins: Type.Union([texts, Type.String()], {
    description: 'Origins, `*.example.com` for all below a name, or `*`; a list, or a text as of the others.',
  }),
  methods: list,
  allowedHeaders: list,
  exposedHeaders: list,
  credentials: Type.Optional(Type.Boolean()),
  maxAge: Type.Optional(Type.Integer({ minimum: 0 })),
})

/**
 * Adds the routes for rules about other origins, with paths relative to the prefix of the application. Failures are
 * thrown as they are: what is around the routes answers them.
 */
export function addCorsRoutes(app: FastifyInstance, cors: Cors): void {
  app.get(
    '/cors/rules',
    {
      schema: {
        summary: 'List the rules for other origins in the order in which they are looked at',
        tags,
        response: { 200: Type.Array(ruleSchema) },
      },
    },
    () => Promise.resolve(cors.list()),
  )
  app.post(
    '/cors/rules',
    {
      config: { action: 'cors.create' },
      schema: {
        summary: 'Add a rule for other origins',
        description: 'It is looked at after the others, and before that of the configuration.',
        tags,
        body: bodySchema,
        response: { 201: ruleSchema, 400: failureSchema, 409: failureSchema },
      },
      // The schema is for readers: the body is read by hand, with texts that name the remedy.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const rule = await cors.add(request.body)
      return reply.code(201).send(rule)
    },
  )
  app.put(
    '/cors/rules/:id',
    {
      config: { action: 'cors.update' },
      schema: {
        summary: 'Write a rule for other origins anew, in its place',
        description: 'What the body leaves out gets its default.',
        tags,
        body: bodySchema,
        params: idSchema,
        response: { 200: ruleSchema, 400: failureSchema, 404: failureSchema },
      },
      // The schema is for readers: the body is read by hand, with texts that name the remedy.
      validatorCompiler: () => () => true,
    },
    (request) => cors.update(idOf(request), request.body),
  )
  app.delete(
    '/cors/rules/:id',
    {
      config: { action: 'cors.delete' },
      schema: {
        summary: 'Remove a rule for other origins',
        description: 'Succeeds as well when it is not there.',
        tags,
        params: idSchema,
        response: { 200: Type.Object({ removed: Type.Boolean() }), 400: failureSchema },
      },
    },
    async (request) => ({ removed: await cors.remove(idOf(request)) }),
  )
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id
}
