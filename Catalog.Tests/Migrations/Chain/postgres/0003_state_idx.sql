-- transaction: none
create index concurrently orders_state_idx on orders (state) where state = 'open';
