"""The post of a single check result on FastAPI and SQLAlchemy. pydantic validates the body, the key is compared by its hash, one ORM
insert fills the same columns as the Catalog does, and the answer is sent after the commit."""
import hashlib
import hmac
import json
import os
import uuid
from datetime import datetime, timezone
from typing import Any, Literal, Optional

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Extra, Field
from sqlalchemy import BigInteger, Column, DateTime, Float, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, sessionmaker

KEY = hashlib.sha256(os.environ["API_KEY"].encode()).digest()
engine = create_async_engine(
    f"postgresql+asyncpg://postgres@127.0.0.1:{os.environ['PG_PORT']}/{os.environ['PG_DATABASE']}", pool_size=10, max_overflow=0)
Session = sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
Base = declarative_base()
app = FastAPI()


class CheckResult(Base):
    __tablename__ = "check_results"
    organization_id = Column(Text, primary_key=True)
    id = Column(Text, primary_key=True)
    pipeline_id = Column(Text)
    check_id = Column(Text)
    run_id = Column(Text)
    status = Column(Text)
    severity = Column(Text)
    dataset = Column(Text)
    dataset_key = Column(UUID(as_uuid=True))
    observed_value = Column(Text)
    observed_number = Column(Float)
    expected = Column(Text)
    failed_rows = Column(BigInteger)
    total_rows = Column(BigInteger)
    message = Column(Text)
    executed_at = Column(DateTime(timezone=True))
    duration_seconds = Column(Float)
    metadata_ = Column("metadata", Text)
    request_hash = Column(LargeBinary)
    created_at = Column(DateTime(timezone=True))


class PostCheckResult(BaseModel, extra=Extra.forbid):
    id: Optional[str] = Field(None, min_length=1, max_length=256)
    pipeline_id: str = Field(min_length=1, max_length=256)
    check_id: str = Field(min_length=1, max_length=256)
    run_id: Optional[str] = Field(None, min_length=1, max_length=256)
    status: Literal["pass", "warn", "fail", "error"]
    severity: Literal["error", "warn"] = "error"
    dataset: Optional[str] = Field(None, min_length=1, max_length=2048)
    observed_value: Any = None
    expected: Any = None
    failed_rows: Optional[int] = Field(None, ge=0)
    total_rows: Optional[int] = Field(None, ge=0)
    message: Optional[str] = Field(None, max_length=65536)
    executed_at: Optional[datetime] = None
    duration_seconds: Optional[float] = Field(None, ge=0)
    metadata: Optional[dict] = None


class Receipt(BaseModel):
    id: str
    outcome: str


async def authorized(x_api_key: str = Header("")):
    if not hmac.compare_digest(hashlib.sha256(x_api_key.encode()).digest(), KEY):
        raise HTTPException(401)


async def session():
    async with Session() as opened:
        yield opened


def new_id(now: datetime) -> str:
    """A UUID of version 7, as the Catalog creates: ids ascend with time."""
    time = f"{int(now.timestamp() * 1000):012x}"
    return f"{time[:8]}-{time[8:]}-7{str(uuid.uuid4())[15:]}"


def text_of(value: Any) -> Optional[str]:
    return None if value is None else json.dumps(value)


@app.get("/ready")
async def ready(db: AsyncSession = Depends(session)):
    await db.execute(text("select 1"))
    return {"status": "ready"}


@app.post("/api/v1/checks/results/", status_code=201, response_model=Receipt, dependencies=[Depends(authorized)])
async def post(result: PostCheckResult, db: AsyncSession = Depends(session)):
    now = datetime.now(timezone.utc)
    number = result.observed_value
    row = CheckResult(
        organization_id="default", id=result.id or new_id(now), pipeline_id=result.pipeline_id, check_id=result.check_id, run_id=result.run_id,
        status=result.status, severity=result.severity, dataset=result.dataset,
        dataset_key=None if result.dataset is None else uuid.UUID(bytes=hashlib.sha256(f"\0{result.dataset}".encode()).digest()[:16]),
        observed_value=text_of(number), observed_number=number if isinstance(number, (int, float)) and not isinstance(number, bool) else None,
        expected=text_of(result.expected), failed_rows=result.failed_rows, total_rows=result.total_rows, message=result.message,
        executed_at=result.executed_at or now, duration_seconds=result.duration_seconds, metadata_=text_of(result.metadata),
        request_hash=hashlib.sha256(result.json().encode()).digest(), created_at=now)
    db.add(row)
    await db.commit()
    return Receipt(id=row.id, outcome="stored")
