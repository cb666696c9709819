export const Button: React.FC<Props> = ({ label }) => {
  return <button className="b">{label}</button>;
};

export function Page() {
  return (
    <div>
      <Button label="x" />
    </div>
  );
}
