// The post of a single check result on fastify and pg. A schema validates the body, the key is compared by its hash, one prepared insert
// fills the same columns as the Catalog does, and the answer is sent after the commit.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import Fastify from 'fastify'
import pg from 'pg'

const sha256 = text => createHash('sha256').update(text).digest()
const key = sha256(process.env.API_KEY)
const pool = new pg.Pool({ host: '127.0.0.1', port: Number(process.env.PG_PORT), database: process.env.PG_DATABASE, user: 'postgres', max: 10 })
const app = Fastify({ ajv: { customOptions: { removeAdditional: false, coerceTypes: false } } })

const name = { type: 'string', minLength: 1, maxLength: 256 }
const body = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline_id', 'check_id', 'status'],
  properties: {
    id: name, pipeline_id: name, check_id: name, run_id: name,
    status: { enum: ['pass', 'warn', 'fail', 'error'] },
    severity: { enum: ['error', 'warn'], default: 'error' },
    dataset: { type: 'string', minLength: 1, maxLength: 2048 },
    observed_value: {}, expected: {},
    failed_rows: { type: 'integer', minimum: 0 },
    total_rows: { type: 'integer', minimum: 0 },
    message: { type: 'string', maxLength: 65536 },
    executed_at: { type: 'string', format: 'date-time' },
    duration_seconds: { type: 'number', minimum: 0 },
    metadata: { type: 'object' }
  }
}
const receipt = { type: 'object', properties: { id: { type: 'string' }, outcome: { type: 'string' } } }

const insert = `insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, dataset, dataset_key,
  observed_value, observed_number, expected, failed_rows, total_rows, message, executed_at, duration_seconds, metadata, request_hash, created_at)
  values ('default', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`

// A UUID of version 7, as the Catalog creates: ids ascend with time.
const newId = () => {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
const json = value => value === undefined ? null : JSON.stringify(value)

app.addHook('onRequest', async (request, reply) => {
  if (!timingSafeEqual(sha256(request.headers['x-api-key'] ?? ''), key)) {
    await reply.code(401).send()
  }
})
app.get('/ready', async () => (await pool.query('select 1')).rowCount)
app.post('/api/v1/checks/results/', { schema: { body, response: { 201: receipt } } }, async (request, reply) => {
  const result = request.body
  const now = new Date().toISOString()
  const id = result.id ?? newId()
  await pool.query({
    name: 'insert',
    text: insert,
    values: [
      id, result.pipeline_id, result.check_id, result.run_id ?? null, result.status, result.severity, result.dataset ?? null,
      result.dataset === undefined ? null : sha256(`\0${result.dataset}`).toString('hex', 0, 16),
      json(result.observed_value), typeof result.observed_value === 'number' ? result.observed_value : null, json(result.expected),
      result.failed_rows ?? null, result.total_rows ?? null, result.message ?? null, result.executed_at ?? now, result.duration_seconds ?? null,
      json(result.metadata), sha256(JSON.stringify(result)), now
    ]
  })
  reply.code(201)
  return { id, outcome: 'stored' }
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
